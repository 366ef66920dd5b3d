/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* The keeper's times, in ns of CLOCK_MONOTONIC. */
#ifndef KEEPER_LOOP_TIME_H
#define KEEPER_LOOP_TIME_H

#include "clock.h"
#include "keeper/handle.h"

#define MS CLOCK_MS
#define NEVER (1ULL << 62)

static inline uint64_t loop_now(void)
{
	return clock_ns(CLOCK_MONOTONIC);
}

static inline uint64_t loop_sooner(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

/* Return when a period is over. All groups of the host's keeper are due together: then they
 * share a list of the sockets, and a search. */
static inline uint64_t loop_after(const struct reuseport_group *group, uint64_t period)
{
	return group->shared ? (loop_now() / period + 1) * period : loop_now() + period;
}

#endif
