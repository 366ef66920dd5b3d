/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* Our steering, set up by the library's own calls: maps, workers, policy. */
#ifndef BENCH_OURS_H
#define BENCH_OURS_H

#include <stddef.h>

#include "state/attachment.h"

/* Which weights the workers have. */
enum weights {
	WEIGHTS_EQUAL,
	WEIGHTS_UNEQUAL,   /* 1, 2, 3, 4, 1, 2 ... */
	WEIGHTS_ONE_ZERO,  /* the last worker gets nothing new */
	WEIGHTS_ONE_ASKED, /* it has asked for that, and the plan does not have it yet */
};

struct ours {
	struct attachment at;
};

/* The maps' sizes that "attach" chooses for so many workers. */
struct steering_size ours__size(unsigned int workers);

/* 0 or -errno, as all here; what failed has been said on standard error. */
int ours__load(struct ours *ours, const struct steering_size *size, int proto, bool probe_reads);
void ours__free(struct ours *ours);

/* Gives the sockets, which are in the array, their slots' entries. */
int ours__describe(struct ours *ours, const int *sockets, size_t n);

/* Only while no packet is under way, which spares the wait for an old one. */
int ours__set_policy(struct ours *ours, const struct reuseport_policy_opts *words,
		     enum weights weights, size_t workers);

#endif
