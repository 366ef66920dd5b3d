/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* What the keepers take: processes, memory, descriptors, CPU time. */
#ifndef BENCH_KEEPERS_H
#define BENCH_KEEPERS_H

#include <stddef.h>
#include <stdint.h>

struct keepers {
	size_t n; /* processes */
	uint64_t pss_kb, rss_kb;
	size_t fds, map_fds; /* map_fds: those of BPF maps */
	uint64_t cpu_ns;     /* used since each of them began */
};

/* Reads those of this mount namespace. 0 or -errno, which has been said. */
int keepers__read(struct keepers *keepers);

/* Their CPU time alone: less work. */
uint64_t keepers__cpu_ns(void);

#endif
