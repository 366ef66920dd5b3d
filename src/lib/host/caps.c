// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* Capabilities: name the missing ones before an operation starts. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/capability.h>
#include <unistd.h>

#include "error.h"
#include "host/caps.h"

#ifndef CAP_PERFMON
#define CAP_PERFMON 38
#endif
#ifndef CAP_BPF
#define CAP_BPF 39
#endif

static const struct {
	enum cap bit;
	cap_value_t cap;
	const char *name;
	bool in_sys_admin; /* CAP_SYS_ADMIN includes it */
} known[] = {
	{ CAP_TO_LOAD, CAP_BPF, "CAP_BPF", true },
	{ CAP_TO_ATTACH, CAP_NET_ADMIN, "CAP_NET_ADMIN", false },
	{ CAP_TO_READ, CAP_PERFMON, "CAP_PERFMON", true },
	{ CAP_TO_DUPLICATE, CAP_SYS_PTRACE, "CAP_SYS_PTRACE", false },
	{ CAP_TO_LOCK, CAP_SYS_RESOURCE, "CAP_SYS_RESOURCE", false },
};

static bool has_cap(cap_t caps, cap_value_t cap)
{
	cap_flag_value_t value = CAP_CLEAR;

	return !cap_get_flag(caps, cap, CAP_EFFECTIVE, &value) && value == CAP_SET;
}

int caps_missing(unsigned int wanted, char *names, size_t size)
{
	cap_t caps = cap_get_proc();
	size_t len = 0;
	int missing = 0;

	if (!caps)
		return -errno;
	*names = '\0';
	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
		if (!(wanted & known[i].bit) || has_cap(caps, known[i].cap) ||
		    (known[i].in_sys_admin && has_cap(caps, CAP_SYS_ADMIN)))
			continue;
		if (len < size)
			len += snprintf(names + len, size - len, "%s%s", len ? ", " : "",
					known[i].name);
		missing++;
	}
	cap_free(caps);
	return missing;
}

const char *caps_advice(void)
{
	return geteuid() ? "run as root (sudo)" :
			   "this root does not have it: a container or a service may withhold it";
}

int caps_require_of(unsigned int wanted, const char *what, struct reuseport_error *err)
{
	char names[128];
	int missing = caps_missing(wanted, names, sizeof(names));

	if (missing < 0)
		return fail(err, -missing, "cannot read this process's capabilities: %s",
			    strerror(-missing));
	if (missing)
		return fail(err, EPERM, "cannot %s: missing %s; %s", what, names, caps_advice());
	return 0;
}

int caps_require(const char *what, struct reuseport_error *err)
{
	return caps_require_of(CAP_TO_LOAD | CAP_TO_ATTACH | CAP_TO_READ | CAP_TO_DUPLICATE, what,
			       err);
}
