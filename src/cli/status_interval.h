/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* Status interval: what each worker of a group was given between two looks. Pure. */
#ifndef CLI_STATUS_INTERVAL_H
#define CLI_STATUS_INTERVAL_H

#include <reuseport_bpf.h>

/* What a worker was given. */
struct worker_interval {
	bool known;        /* false: it was there before, but the first look did not show it */
	uint64_t selected; /* since the first look, or since it joined */
};

struct status_interval {
	bool known;        /* false: the first look did not show the group; all else is 0 then */
	double seconds;    /* between the looks, or since the group was attached */
	uint64_t selected; /* by all, those included that have gone */
	uint64_t fallback;
	uint64_t gone;    /* of "selected": of workers that the second look does not show */
	bool gone_known;  /* each worker is known */
	size_t n_workers; /* those of the second look, in its order */
	struct worker_interval *workers;
};

/*
 * Compare two looks at a group. "before" is NULL if the first did not show it; begun_ns is when
 * that look began, CLOCK_BOOTTIME: what is younger counts from its beginning. A worker is the
 * same if cookie, slot and time of the join are. Return 0 or -ENOMEM. Free interval->workers with
 * free().
 */
int status_interval_make(const struct reuseport_status *before, const struct reuseport_status *now,
			 uint64_t begun_ns, struct status_interval *interval);

/* Return whether two looks show the same attachment, and not one that was made meanwhile. */
bool status_interval_is_same(const struct reuseport_status *before,
			     const struct reuseport_status *now);

#endif
