/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* Capabilities: which one is missing, by name, before anything is tried. */
#ifndef HOST_CAPS_H
#define HOST_CAPS_H

#include "reuseport_bpf.h"

enum cap {
	CAP_TO_LOAD = 1 << 0,   /* CAP_BPF */
	CAP_TO_ATTACH = 1 << 1, /* CAP_NET_ADMIN */
	CAP_TO_READ = 1 << 2,   /* CAP_PERFMON */
	CAP_TO_TAKE = 1 << 3,   /* CAP_SYS_PTRACE */
};

/* The names of those of "wanted" that the process does not have, as "CAP_BPF,
 * CAP_PERFMON"; returns how many. -errno: they cannot be read. */
int caps_missing(unsigned int wanted, char *names, size_t size);

/* What to load, attach and look into other processes takes; for "what" in the
 * message. -EPERM with the missing ones named. */
int caps_require(const char *what, struct reuseport_error *err);

#endif
