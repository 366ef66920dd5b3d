/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * Look: run a function that looks at other processes where it cannot hang this one.
 *
 * With isolation (reuseport_isolate.h) it runs in a helper process, which reports records
 * through a pipe. A helper that makes no progress for LOOK_PATIENCE_MS is given up. The process
 * that it was looking at is skipped from then on, as long as it lives. Without isolation the
 * function runs in this process. A job that can, is done by the helper that stands by, if it is
 * free: see standby.h.
 */
#ifndef HOST_LOOK_H
#define HOST_LOOK_H

#include "host/standby.h"

#define LOOK_TRIES 8 /* helpers for a look, each without the processes skipped before */

struct look_job {
	int (*run)(struct look_report *report, void *arg); /* returns 0 or -errno */
	void *arg;
	size_t record; /* bytes of each that it reports */
	/* Called in this process for each record. */
	void (*take)(void *ctx, const void *record);
	void *ctx;
	const int *keep; /* the descriptors that it needs */
	size_t n_keep;
	bool minor;                     /* it can be done without */
	struct standby_request request; /* for the helper that stands by, if it can do it */
	size_t records;                 /* that it reports then */
};

/*
 * Run a job to its end. Return what it returned. -ETIMEDOUT: the last of LOOK_TRIES helpers
 * was given up. -EBUSY: too many are there that were given up. Other errors: none could be
 * started. After a helper was given up, the next one begins with the memory that this process
 * has then; all that was reported before has been taken.
 */
int look_run(const struct look_job *job);

/* A job that runs in a helper beside this process. */
struct look;

/* Start a job; only if look_isolated(). Return 0 or -errno, as look_run(). */
int look_begin(const struct look_job *job, struct look **look);

/* Return the descriptor that is readable when look_step() has something to do. It may be
 * another one after each step. */
int look_fd(const struct look *look);

/* Return the time, of CLOCK_MONOTONIC, by which look_step() must be called in any case. */
uint64_t look_until(const struct look *look);

/* Wait until look_step() has something to do. */
void look_wait(const struct look *look);

/* Take what was reported. Return whether the job is over, with its *result as look_run(). It
 * does not wait. */
bool look_step(struct look *look, int *result);

/* Free a job, and give it up if it is not over; NULL is allowed. */
void look_free(struct look *look);

/* Log a line of what cannot be looked at, if looks run in helpers. */
void look_warn(const char *line);

/* Write the pids of the processes that are skipped now, up to "max". Return their number. */
size_t look_skipped(uint32_t *pids, size_t max);

#endif
