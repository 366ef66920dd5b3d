// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* Restart: options and waiting that drain and rollout share. */
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "command.h"
#include "drain_wait.h"
#include "words.h"

#define PAUSE_NS 10000000L
#define TIMEOUT_MAX_S 86400

static bool set_wait(struct options *options, const char *text)
{
	(void)text;
	return options->wait = true;
}

static bool set_timeout(struct options *options, const char *text)
{
	if (option_number(text, 1, TIMEOUT_MAX_S, &options->timeout_s))
		return true;
	fprintf(stderr, "reuseportctl: --timeout '%s' is out of range: 1 to %d seconds\n", text,
		TIMEOUT_MAX_S);
	return false;
}

static bool set_release(struct options *options, const char *text)
{
	(void)text;
	return options->release = true;
}

const struct option_entry restart_options[RESTART_OPTIONS] = {
	{ 0, "wait", NULL, "until what is queued or half open has been accepted", set_wait },
	{ 0, "timeout", "SECONDS", "wait so long at most (default: without end)", set_timeout },
	{ 0, "release", NULL, "UDP: give its sticky flows to others, too", set_release },
};

bool restart_check(const struct options *options)
{
	if (!options->timeout_s || options->wait)
		return true;
	fprintf(stderr, "reuseportctl: --timeout goes with --wait\n");
	return false;
}

/* --------------------------------------------------------------- what is left */

static bool is_empty(const struct reuseport_left *left)
{
	return !left->queue && !left->half_open;
}

static void tell(const struct reuseport_left *left, int proto)
{
	printf("slot %u pid %u: ", left->slot, left->pid);
	if (is_empty(left))
		printf("empty");
	else if (proto == IPPROTO_UDP)
		printf("%u bytes to receive", left->queue);
	else
		printf("%u to accept, %u half open", left->queue, left->half_open);
	if (left->flows)
		printf("; %llu sticky flow%s", (unsigned long long)left->flows,
		       left->flows == 1 ? "" : "s");
	putchar('\n');
}

static double now_s(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec + now.tv_nsec / 1e9;
}

/* Returns how many are not empty, or -1 with *status. "last": says what is left. */
static int look(const struct reuseport_filter *filter, const char *worker, bool last, int *status)
{
	struct reuseport_left *left;
	struct reuseport_error error;
	int busy = 0;
	size_t n;

	if (reuseport_left(filter, worker, &left, &n, &error)) {
		*status = word_failure(&error);
		return -1;
	}
	for (size_t i = 0; i < n; i++)
		busy += !is_empty(&left[i]);
	for (size_t i = 0; (last || !busy) && i < n; i++)
		tell(&left[i], filter->proto);
	if (!n)
		puts("gone");
	free(left);
	return busy;
}

int restart_wait(const struct options *options, const struct reuseport_filter *filter,
		 const char *worker)
{
	double end = now_s() + options->timeout_s;
	int status = EXIT_DONE, busy;

	for (;;) {
		bool last = options->timeout_s && now_s() >= end;

		busy = look(filter, worker, last, &status);
		if (busy < 0)
			return status;
		if (!busy)
			return word_written();
		if (last)
			break;
		nanosleep(&(struct timespec){ .tv_nsec = PAUSE_NS }, NULL);
	}
	fprintf(stderr,
		"reuseportctl: after %lu s %d worker%s still busy: a server that hangs? "
		"What is queued goes to others when it closes\n",
		options->timeout_s, busy, busy == 1 ? " is" : "s are");
	return EXIT_FAILED;
}
