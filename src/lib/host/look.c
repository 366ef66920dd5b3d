// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* Look: run a function that looks at other processes where it cannot hang this one. */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>
#include <unistd.h>

#include "clock.h"
#include "host/isolation.h"
#include "host/look.h"
#include "host/proc.h"
#include "host/skip_list.h"

#define RECENT_NS (10000 * CLOCK_MS)
#define NAME_PATIENCE_MS 100
/* Waiting counts by so much at most, in case that this process does not run for a while. */
#define WAIT_NS (100 * CLOCK_MS)

struct look {
	struct look_job job;
	struct look_state *state;
	int pipe;       /* -1: over */
	bool stands_by; /* state and pipe are of the helper that does; as many */
	size_t records; /* are still to come from it */
	int tries;
	uint32_t steps; /* as seen last */
	uint64_t patience, waited, seen_at;
	size_t have;
	char buffer[LOOK_BUFFER]; /* holds what is incomplete */
};

/* Run the job in the helper. */
static int look_help(void *arg, int out)
{
	const struct look *look = arg;
	struct look_report report = { .record = look->job.record,
				      .state = look->state,
				      .out = out };
	int ret, flushed;

	look_become_helper();
	ret = look->job.run(&report, look->job.arg);
	flushed = look_flush(&report);
	look->state->result = ret ? ret : flushed;
	__atomic_store_n(&look->state->over, 1, __ATOMIC_RELEASE);
	return 0;
}

static int look_run_here(const struct look_job *job)
{
	struct look_report report = {
		.record = job->record, .take = job->take, .ctx = job->ctx, .out = -1
	};

	return job->run(&report, job->arg);
}

/* ---------------------------------------------------------------- the parent */

static uint64_t look_now(void)
{
	return clock_ns(CLOCK_MONOTONIC);
}

static void look_begin_waiting(struct look *look)
{
	look->steps = look->have = look->waited = 0;
	look->patience = (look_in_haste() ? LOOK_HASTE_MS : LOOK_PATIENCE_MS) * CLOCK_MS;
	look->seen_at = look_now();
	look->tries++;
}

/* Start a helper, with a state of its own: the last one may still write to that of before. */
static int look_start(struct look *look)
{
	const struct reuseport_isolation *by = isolation();
	struct look_state *state = look_state_new();

	if (!state)
		return -ENOMEM;
	look_state_free(look->state);
	look->state = state;
	look_begin_waiting(look);
	skip_list_forget_ended();
	look->pipe = by->start(by->ctx, look_help, look, look->job.keep, look->job.n_keep,
			       look->job.minor);
	return look->pipe < 0 ? look->pipe : 0;
}

/* Give the job to the helper that stands by. Return 0 or -errno. */
static int look_start_standby(struct look *look)
{
	const struct look_job *job = &look->job;
	int ret = job->request.serve ? standby_begin(&job->request, job->record, job->keep,
						     job->n_keep, &look->pipe, &look->state) :
				       -ENOENT;

	if (ret)
		return ret;
	look->stands_by = true;
	look->records = job->records;
	look_begin_waiting(look);
	look->steps = __atomic_load_n(&look->state->steps, __ATOMIC_RELAXED);
	return 0;
}

/* Stop using the helper that stands by; give_up: it ends. */
static void look_leave_standby(struct look *look, bool give_up)
{
	look->stands_by = false;
	look->state = NULL;
	if (give_up)
		standby_end();
	else
		standby_release();
}

static void look_stop(struct look *look, bool give_up)
{
	const struct reuseport_isolation *by = isolation();

	if (look->stands_by)
		look_leave_standby(look, give_up);
	else if (look->pipe >= 0)
		by->stop(by->ctx, look->pipe, give_up);
	look->pipe = -1;
}

int look_begin(const struct look_job *job, struct look **begun)
{
	struct look *look = calloc(1, sizeof(*look));
	int ret;

	if (!look)
		return -ENOMEM;
	look->job = *job;
	look->pipe = -1;
	ret = look_start_standby(look) ? look_start(look) : 0;
	if (ret) {
		look_free(look);
		return ret;
	}
	*begun = look;
	return 0;
}

void look_free(struct look *look)
{
	if (!look)
		return;
	look_stop(look, true);
	look_state_free(look->state);
	free(look);
}

int look_fd(const struct look *look)
{
	return look->pipe;
}

uint64_t look_until(const struct look *look)
{
	uint64_t left = look->patience - look->waited;

	return look->seen_at + (left < WAIT_NS ? left : WAIT_NS);
}

void look_wait(const struct look *look)
{
	struct pollfd ready = { .fd = look->pipe, .events = POLLIN };
	uint64_t now = look_now(), until = look_until(look);

	if (until > now)
		poll(&ready, 1, (until - now) / CLOCK_MS + 1);
}

/* -------------------------------------------------------------------- a step */

/* Hand over the complete records of the buffer. */
static void look_take(struct look *look)
{
	size_t used = 0, size = look->job.record;

	for (; look->have - used >= size; used += size) {
		look->job.take(look->job.ctx, look->buffer + used);
		look->records -= look->records > 0;
	}
	look->have -= used;
	memmove(look->buffer, look->buffer + used, look->have);
}

/* Take what is in the pipe. Return whether that was something; *ended at its end. */
static bool look_read(struct look *look, bool *ended)
{
	bool some = false;
	ssize_t n;

	while ((n = read(look->pipe, look->buffer + look->have,
			 sizeof(look->buffer) - look->have)) > 0) {
		look->have += n;
		look_take(look);
		some = true;
	}
	*ended = !n;
	return some;
}

/* Return whether the helper has made no progress for too long. */
static bool look_hangs(struct look *look, bool some)
{
	uint32_t steps = __atomic_load_n(&look->state->steps, __ATOMIC_RELAXED);
	uint64_t now = look_now(), since = now - look->seen_at;

	look->waited += since < WAIT_NS ? since : WAIT_NS;
	if (some || steps != look->steps)
		look->waited = 0;
	look->steps = steps;
	look->seen_at = now;
	return look->waited >= look->patience;
}

static bool look_skip(uint32_t pid);

/* Give up the helper, and start another one that skips the process at hand. Return 0, or
 * -ETIMEDOUT if that would be in vain. */
static int look_start_again(struct look *look)
{
	uint32_t pid = __atomic_load_n(&look->state->pid, __ATOMIC_ACQUIRE);

	look_stop(look, true);
	look_note_given_up();
	if (!look_skip(pid) || look->tries == LOOK_TRIES || look_start(look))
		return -ETIMEDOUT;
	return 0;
}

/* Return whether the helper that stands by has reported all, or is gone: then another one is
 * started, with what is left. */
static bool look_standby_is_over(struct look *look, bool ended, int *result)
{
	*result = 0;
	if (!look->records) {
		look_stop(look, false);
		return true;
	}
	if (!ended)
		return false;
	look_stop(look, true);
	*result = look_start(look);
	return *result;
}

bool look_step(struct look *look, int *result)
{
	bool ended, some = look_read(look, &ended);

	if (look->stands_by) {
		if (look_standby_is_over(look, ended, result))
			return true;
	} else if (ended) {
		/* It may have been killed. */
		*result = __atomic_load_n(&look->state->over, __ATOMIC_ACQUIRE) ?
				  look->state->result :
				  -EIO;
		look_stop(look, false);
		return true;
	}
	if (!look_hangs(look, some))
		return false;
	*result = look_start_again(look);
	return *result;
}

/* Wait for the end of a job. */
static int look_finish(struct look *look)
{
	int ret;

	do
		look_wait(look);
	while (!look_step(look, &ret));
	look_free(look);
	return ret;
}

int look_run(const struct look_job *job)
{
	struct look *look;
	int ret;

	if (!look_isolated())
		return look_run_here(job);
	ret = look_begin(job, &look);
	return ret ? ret : look_finish(look);
}

/* ------------------------------------------------------------------ skipping */

static int tell_name(struct look_report *report, void *arg)
{
	char comm[16];

	proc_comm(*(const uint32_t *)arg, comm);
	return look_tell(report, comm);
}

static void take_name(void *ctx, const void *name)
{
	memcpy(ctx, name, 16);
}

/* Read the name of a process, which may be just what cannot be read. */
static void look_name(uint32_t pid, char name[16])
{
	const struct look_job job = { .run = tell_name,
				      .arg = &pid,
				      .record = 16,
				      .take = take_name,
				      .ctx = name,
				      .minor = true };
	struct look *look;

	name[0] = '\0';
	if (look_begin(&job, &look))
		return;
	look->patience = NAME_PATIENCE_MS * CLOCK_MS;
	look_finish(look);
}

/* Skip a process from now on, and say so. Return whether that makes a difference. */
static bool look_skip(uint32_t pid)
{
	const struct reuseport_isolation *by = isolation();
	char name[16], line[128];

	if (!pid || !skip_list_add(pid))
		return false;
	look_name(pid, name);
	snprintf(line, sizeof(line), "process %u%s%s%s does not let itself be inspected: skipped",
		 pid, *name ? " (" : "", name, *name ? ")" : "");
	by->log(by->ctx, LOG_WARNING, line);
	return true;
}

void look_warn(const char *line)
{
	const struct reuseport_isolation *by = isolation();

	if (by && look_isolated())
		by->log(by->ctx, LOG_WARNING, line);
}

size_t look_skipped(uint32_t *pids, size_t max)
{
	return skip_list_pids(pids, max);
}
