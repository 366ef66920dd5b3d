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

/* fed: it may get more, so it is not empty for good. */
static void print_drain_status(const struct reuseport_drain_status *status, int proto, bool fed)
{
	printf("slot %u pid %u: ", status->slot, status->pid);
	if (is_drained(status) && !fed)
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
static int count_busy(const struct reuseport_filter *filter, const char *worker, bool fed,
		      bool last, int *status)
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
		print_drain_status(drained, filter->proto, fed);
	if (!reuseport_drain_list__count(list))
		puts(worker ? "the worker is gone" : "all drained workers are gone");
	reuseport_drain_list__free(list);
	return busy;
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

int drain_wait(const struct options *options, const struct reuseport_filter *filter,
	       const char *worker)
{
	double end = now_s() + options->timeout_s;
	bool fed = may_be_fed(filter);
	int status = EXIT_DONE, busy;

	for (;;) {
		bool last = options->timeout_s && now_s() >= end;

		busy = count_busy(filter, worker, fed, last, &status);
		if (busy < 0)
			return status;
		if (!busy)
			return drain_report(fed);
		if (last)
			break;
		nanosleep(&(struct timespec){ .tv_nsec = PAUSE_NS }, NULL);
	}
	message("after %lu s %d worker%s still busy; if the server hangs, end it: "
		"its queue then goes to other workers",
		options->timeout_s, busy, busy == 1 ? " is" : "s are");
	return EXIT_FAILED;
}
