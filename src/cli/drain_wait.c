// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* Drain wait: the options and the waiting that drain and rollout share. */
#include <netinet/in.h>
#include <stdio.h>
#include <time.h>

#include "bounds.h"
#include "drain_wait.h"
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

static void print_drain_status(const struct reuseport_drain_status *status, int proto)
{
	printf("slot %u pid %u: ", status->slot, status->pid);
	if (is_drained(status))
		printf("empty");
	else if (proto == IPPROTO_UDP)
		printf("%u bytes to receive", status->queue);
	else
		printf("%u to accept, %u half open", status->queue, status->half_open);
	if (status->flows)
		printf("; %llu sticky flow%s", (unsigned long long)status->flows,
		       status->flows == 1 ? "" : "s");
	putchar('\n');
}

static double now_s(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec + now.tv_nsec / 1e9;
}

/* Return the number of workers that are not drained yet, or -1 with *status. Print what
 * they have if this is the last time, or if all are drained. */
static int count_busy(const struct reuseport_filter *filter, const char *worker, bool last,
		      int *status)
{
	const struct reuseport_drain_status *drained;
	struct reuseport_drain_list *list;
	struct reuseport_error error;
	int busy = 0;

	if (reuseport_get_drain_status(filter, worker, &list, &error)) {
		*status = exit_failed(&error);
		return -1;
	}
	for (size_t i = 0; (drained = reuseport_drain_list__get(list, i)); i++)
		busy += !is_drained(drained);
	for (size_t i = 0; (last || !busy) && (drained = reuseport_drain_list__get(list, i)); i++)
		print_drain_status(drained, filter->proto);
	if (!reuseport_drain_list__count(list))
		puts(worker ? "the worker is gone" : "all drained workers are gone");
	reuseport_drain_list__free(list);
	return busy;
}

int drain_wait(const struct options *options, const struct reuseport_filter *filter,
	       const char *worker)
{
	double end = now_s() + options->timeout_s;
	int status = EXIT_DONE, busy;

	for (;;) {
		bool last = options->timeout_s && now_s() >= end;

		busy = count_busy(filter, worker, last, &status);
		if (busy < 0)
			return status;
		if (!busy)
			return exit_written();
		if (last)
			break;
		nanosleep(&(struct timespec){ .tv_nsec = PAUSE_NS }, NULL);
	}
	message("after %lu s %d worker%s still busy; if the server hangs, end it: "
		"its queue then goes to other workers",
		options->timeout_s, busy, busy == 1 ? " is" : "s are");
	return EXIT_FAILED;
}
