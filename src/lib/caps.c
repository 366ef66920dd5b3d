// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* Capabilities: which one is missing, by name, before anything is tried. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/capability.h>

#include "caps.h"
#include "error.h"

#ifndef CAP_PERFMON
#define CAP_PERFMON 38
#endif
#ifndef CAP_BPF
#define CAP_BPF 39
#endif

static bool has(cap_t caps, cap_value_t cap)
{
	cap_flag_value_t value = CAP_CLEAR;

	return !cap_get_flag(caps, cap, CAP_EFFECTIVE, &value) && value == CAP_SET;
}

int caps_require(const char *what, struct reuseport_error *err)
{
	static const struct {
		cap_value_t cap;
		const char *name;
		bool in_sys_admin; /* what CAP_SYS_ADMIN covers too */
	} needed[] = {
		{ CAP_BPF, "CAP_BPF", true },
		{ CAP_NET_ADMIN, "CAP_NET_ADMIN", false },
		{ CAP_PERFMON, "CAP_PERFMON", true },
		{ CAP_SYS_PTRACE, "CAP_SYS_PTRACE", false },
	};
	cap_t caps = cap_get_proc();
	char missing[128] = "";
	size_t len = 0;

	if (!caps)
		return fail(err, errno, "cannot read this process's capabilities: %s",
			    strerror(errno));
	for (size_t i = 0; i < sizeof(needed) / sizeof(needed[0]); i++) {
		if (has(caps, needed[i].cap) ||
		    (needed[i].in_sys_admin && has(caps, CAP_SYS_ADMIN)))
			continue;
		len += snprintf(missing + len, sizeof(missing) - len, "%s%s", len ? ", " : "",
				needed[i].name);
	}
	cap_free(caps);
	if (!len)
		return 0;
	return fail(err, EPERM, "cannot %s: missing %s; run as root (sudo)", what, missing);
}
