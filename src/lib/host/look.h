/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * Look: run a function that looks at other processes where it cannot hang this one.
 *
 * With isolation (reuseport_isolate.h) it runs in a helper process, which reports records
 * through a pipe. A helper that makes no progress for LOOK_PATIENCE_MS is given up. The process
 * that it was looking at is skipped from then on, as long as it lives. Without isolation the
 * function runs in this process.
 */
#ifndef HOST_LOOK_H
#define HOST_LOOK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define LOOK_PATIENCE_MS 1000
#define LOOK_HASTE_MS 200 /* instead, for a while after one was given up */
#define LOOK_TRIES 8      /* helpers for a look, each without the processes skipped before */

/* Where a look reports to. */
struct look_report;

struct look_job {
	int (*run)(struct look_report *report, void *arg); /* returns 0 or -errno */
	void *arg;
	size_t record; /* bytes of each that it reports */
	/* Called in this process for each record. */
	void (*take)(void *ctx, const void *record);
	void *ctx;
	const int *keep; /* the descriptors that it needs */
	size_t n_keep;
	bool minor; /* it can be done without */
};

/* ------------------------------------------------------------ in the function */

/* Say that a process is looked at next. Return whether to do so: it may have to be skipped. */
bool look_at(struct look_report *report, uint32_t pid);

/* Say that there is progress; for what may take longer than LOOK_HASTE_MS. */
void look_progress(struct look_report *report);

/* Report a record. Return 0, or -errno if it cannot be reported. */
int look_tell(struct look_report *report, const void *record);

/* ---------------------------------------------------------------- to run one */

/* Return whether looks run in helpers. */
bool look_isolated(void);

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

/* Write the pids of the processes that are skipped now, up to "max". Return their number. */
size_t look_skipped(uint32_t *pids, size_t max);

#endif
