/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* Capabilities: name the missing ones before an operation starts. */
#ifndef HOST_CAPS_H
#define HOST_CAPS_H

#include "reuseport_bpf.h"

enum cap {
	CAP_TO_LOAD = 1 << 0,      /* CAP_BPF */
	CAP_TO_ATTACH = 1 << 1,    /* CAP_NET_ADMIN */
	CAP_TO_READ = 1 << 2,      /* CAP_PERFMON */
	CAP_TO_DUPLICATE = 1 << 3, /* CAP_SYS_PTRACE: other processes' sockets */
	CAP_TO_LOCK = 1 << 4,      /* CAP_SYS_RESOURCE: more memory than RLIMIT_MEMLOCK */
};

/* Write the names of those of "wanted" that the process lacks, as "CAP_BPF,
 * CAP_PERFMON", and return their number. -errno: they cannot be read. */
int caps_missing(unsigned int wanted, char *names, size_t size);

/* Return what to do where a capability is missing: it depends on whether this is root already. */
const char *caps_advice(void);

/* Check for all capabilities that steering needs. -EPERM: "cannot WHAT: ", and the
 * missing ones. */
int caps_require(const char *what, struct reuseport_error *err);

/* Do the same for those of "wanted". */
int caps_require_of(unsigned int wanted, const char *what, struct reuseport_error *err);

#endif
