/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* The capabilities that are in effect: drop all but some for a call, and take them back. */
#ifndef API_EFFECTIVE_H
#define API_EFFECTIVE_H

#include <linux/capability.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#ifndef CAP_PERFMON
#define CAP_PERFMON 38
#endif
#ifndef CAP_BPF
#define CAP_BPF 39
#endif

#define BPF (1ULL << CAP_BPF)
#define PERFMON (1ULL << CAP_PERFMON)
#define NET_ADMIN (1ULL << CAP_NET_ADMIN)
#define PTRACE (1ULL << CAP_SYS_PTRACE)
#define SYS_ADMIN (1ULL << CAP_SYS_ADMIN)
#define DAC_OVERRIDE (1ULL << CAP_DAC_OVERRIDE)
#define ALL_THAT_LOOK (BPF | PERFMON | NET_ADMIN | PTRACE)
#define EVERY (~0ULL)

static const struct {
	uint64_t bit;
	const char *name;
} capabilities[] = {
	{ BPF, "CAP_BPF" },
	{ PERFMON, "CAP_PERFMON" },
	{ NET_ADMIN, "CAP_NET_ADMIN" },
	{ PTRACE, "CAP_SYS_PTRACE" },
};

#define CAPABILITIES (sizeof(capabilities) / sizeof(capabilities[0]))

/* Have those of "wanted" that are permitted in effect, and no other. */
static inline void have_only(uint64_t wanted)
{
	struct __user_cap_header_struct head = { _LINUX_CAPABILITY_VERSION_3, 0 };
	struct __user_cap_data_struct data[2];

	memset(data, 0, sizeof(data));
	if (!syscall(SYS_capget, &head, data)) {
		data[0].effective = data[0].permitted & (uint32_t)wanted;
		data[1].effective = data[1].permitted & (uint32_t)(wanted >> 32);
		if (!syscall(SYS_capset, &head, data))
			return;
	}
	perror("capset");
	_exit(1);
}

#endif
