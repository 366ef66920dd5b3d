// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* Drain wait: the options and the waiting that drain and rollout share. */
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "bounds.h"
#include "drain_wait.h"
#include "effect.h"
#include "exit.h"
#include "message.h"

#define PAUSE_NS 10000000L

const struct option_entry drain_wait_options[DRAIN_WAIT_OPTIONS] = {
	{ 0, "wait", NULL, "wait until every queued or half-open connection has been accepted",
	  OPTION_FLAG(wait) },
	{ 0, "timeout", "SECONDS", "give up after SECONDS (default: wait forever)",
	  OPTION_NUMBER(timeout_s, 1, TIMEOUT_MAX_S) },
	{ 0, "release", NULL, "UDP: also move the worker's sticky flows to other workers",
	  OPTION_FLAG(release) },
};

bool drain_wait_check(const struct options *options)
{
	return !options->timeout_s || options->wait ||
	       options_wrong(options, "--timeout requires --wait");
}

static bool is_drained(const struct reuseport_drain_status *status)
{
	return !status->queue && !status->half_open;
}

/* Who is waited for. */
struct waiting {
	const struct options *options;
	const struct reuseport_filter *filter;
	const char *worker;                 /* as it was named; NULL: all */
	struct reuseport_drain_list *first; /* as they were, with the processes, at first */
	char *cookies;                      /* their names from then on */
	bool fed;                           /* they may get more, so none is empty for good */
};

static uint32_t pid_at_first(const struct waiting *waiting, uint64_t cookie)
{
	const struct reuseport_drain_status *status;

	for (size_t i = 0; (status = reuseport_drain_list__get(waiting->first, i)); i++)
		if (status->cookie == cookie)
			return status->pid;
	return 0;
}

static void print_drain_status(const struct waiting *waiting,
			       const struct reuseport_drain_status *status)
{
	printf("slot %u pid %u: ", status->slot, pid_at_first(waiting, status->cookie));
	if (is_drained(status) && !waiting->fed)
		printf("empty");
	else if (waiting->filter->proto == IPPROTO_UDP)
		printf("%u bytes to receive", status->queue);
	else
		printf("%u to accept, %u half open", status->queue, status->half_open);
	if (status->flows)
		printf("; %llu sticky flow%s", (unsigned long long)status->flows,
		       status->flows == 1 ? "" : "s");
	putchar('\n');
}

static void print_gone(const struct waiting *waiting)
{
	if (waiting->worker && reuseport_drain_list__count(waiting->first) < 2)
		puts("the worker is gone");
	else
		puts("all drained workers are gone");
}

static double now_s(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec + now.tv_nsec / 1e9;
}

/* UDP that TPROXY redirects goes to drained workers, too, and no counter shows it. */
static bool may_be_fed(const struct reuseport_filter *filter)
{
	const struct reuseport_status *status;
	struct reuseport_status_list *list;
	bool may = false;

	if (filter->proto != IPPROTO_UDP || reuseport_get_status(filter, &list, NULL))
		return false;
	for (size_t i = 0; (status = reuseport_status_list__get(list, i)); i++)
		may |= status->transparent;
	reuseport_status_list__free(list);
	return may;
}

/* All queues were empty. */
static int drain_report(bool fed)
{
	int ret = exit_written();

	if (ret != EXIT_DONE || !fed)
		return ret;
	message("that a worker is drained cannot be told: the sockets have IP_TRANSPARENT, and UDP "
		"that a TPROXY rule redirects to them is seen by no program: it goes to drained "
		"workers, too, until they close their sockets");
	return EXIT_FAILED;
}

/* Look for the first time, and note whom to look at from then on. The processes are looked at only
 * now: it takes long, and others may come to have these sockets. */
static int wait_begin(struct waiting *waiting)
{
	const struct reuseport_drain_status *status;
	struct reuseport_error error;
	size_t n, size;
	FILE *names;

	if (reuseport_get_drain_status(waiting->filter, waiting->worker, &waiting->first, &error))
		return exit_failed(&error);
	names = open_memstream(&waiting->cookies, &size);
	if (!names)
		return exit_no_memory();
	for (n = 0; (status = reuseport_drain_list__get(waiting->first, n)); n++)
		fprintf(names, "%scookie:%llu", n ? "," : "", (unsigned long long)status->cookie);
	return fclose(names) ? exit_no_memory() : EXIT_DONE;
}

static void wait_end(struct waiting *waiting)
{
	reuseport_drain_list__free(waiting->first);
	free(waiting->cookies);
}

/* Return the number of workers that are not drained yet, or -1 with *status. Print what
 * they have if this is the last time, or if all are drained. */
static int count_busy(const struct waiting *waiting, bool last, int *status)
{
	const struct reuseport_drain_status *drained;
	struct reuseport_drain_list *list;
	struct reuseport_error error;
	int busy = 0;

	if (reuseport_get_drain_status(waiting->filter, waiting->cookies, &list, &error)) {
		*status = exit_failed(&error);
		return -1;
	}
	for (size_t i = 0; (drained = reuseport_drain_list__get(list, i)); i++)
		busy += !is_drained(drained);
	/* A server may have put its own program there meanwhile: what is empty gets new work then.
	 */
	if (!busy && reuseport_drain_list__count(list) &&
	    effect_check_lost(waiting->options, waiting->filter) != EXIT_DONE) {
		reuseport_drain_list__free(list);
		*status = EXIT_FAILED;
		return -1;
	}
	for (size_t i = 0; (last || !busy) && (drained = reuseport_drain_list__get(list, i)); i++)
		print_drain_status(waiting, drained);
	if (!reuseport_drain_list__count(list))
		print_gone(waiting);
	reuseport_drain_list__free(list);
	return busy;
}

/* Wait until none is busy. */
static int wait_for_all(const struct waiting *waiting, unsigned long timeout_s)
{
	double end = now_s() + timeout_s;
	int status = EXIT_DONE, busy;

	for (;;) {
		bool last = timeout_s && now_s() >= end;

		busy = count_busy(waiting, last, &status);
		if (busy < 0)
			return status;
		if (!busy)
			return drain_report(waiting->fed);
		if (last)
			break;
		nanosleep(&(struct timespec){ .tv_nsec = PAUSE_NS }, NULL);
	}
	message("after %lu s %d worker%s still busy; if the server hangs, end it: "
		"its queue then goes to other workers",
		timeout_s, busy, busy == 1 ? " is" : "s are");
	return EXIT_FAILED;
}

int drain_wait(const struct options *options, const struct reuseport_filter *filter,
	       const char *worker)
{
	struct waiting waiting = {
		.options = options, .filter = filter, .worker = worker, .fed = may_be_fed(filter)
	};
	int status = wait_begin(&waiting);

	if (status == EXIT_DONE && !reuseport_drain_list__count(waiting.first)) {
		print_gone(&waiting);
		status = exit_written();
	} else if (status == EXIT_DONE) {
		status = wait_for_all(&waiting, options->timeout_s);
	}
	wait_end(&waiting);
	return status;
}
