// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* reuseportctl status: shows what is steered, worker by worker; at once, over an interval, or
 * again and again. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "command.h"
#include "message.h"
#include "parse.h"
#include "show/status.h"
#include "status_look.h"

#define CLEAR "\033[H\033[2J"

/* Report that nothing is steered. That is an error only if the options name a group. */
static int report_none(const struct options *options)
{
	if (options->n_ports || options->addr || options->dev) {
		message("nothing is attached there: 'reuseportctl list' shows "
			"the groups that can be");
		return EXIT_NO_MATCH;
	}
	if (!options->json)
		puts("nothing is steered");
	return EXIT_DONE;
}

/* ------------------------------------------------------------- what is shown */

static int show_look(const struct options *options, const struct shown_status *list, size_t n)
{
	int ret = EXIT_DONE;

	if (options->json)
		ret = show_status_json(list, n);
	else
		show_status_text(list, n);
	return ret == EXIT_DONE ? exit_written() : ret;
}

static const struct reuseport_status *find_before(const struct status_look *before,
						  const struct reuseport_status *now)
{
	for (size_t i = 0; i < before->n; i++)
		if (status_interval_is_same(before->items[i], now))
			return before->items[i];
	return NULL;
}

/* Show a look, compared with the one before, NULL: alone. */
static int show_compared(const struct options *options, const struct status_look *before,
			 const struct status_look *now)
{
	struct status_interval *intervals = calloc(now->n + 1, sizeof(*intervals));
	struct shown_status *list = calloc(now->n + 1, sizeof(*list));
	int ret = intervals && list ? EXIT_DONE : exit_no_memory();

	for (size_t i = 0; ret == EXIT_DONE && i < now->n; i++) {
		list[i].status = now->items[i];
		if (!before)
			continue;
		list[i].interval = &intervals[i];
		if (status_interval_make(find_before(before, now->items[i]), now->items[i],
					 before->begun_ns, &intervals[i]))
			ret = exit_no_memory();
	}
	if (ret == EXIT_DONE)
		ret = show_look(options, list, now->n);
	for (size_t i = 0; intervals && i < now->n; i++)
		free(intervals[i].workers);
	free(intervals);
	free(list);
	return ret;
}

static int show_once(const struct options *options)
{
	struct status_look look;
	int ret = status_look(options, &look);

	if (ret == EXIT_DONE)
		ret = show_compared(options, NULL, &look);
	if (ret == EXIT_DONE && !look.n)
		ret = report_none(options);
	status_look_free(&look);
	return ret == EXIT_DONE ? exit_written() : ret;
}

/* --------------------------------------------------------- again and again */

/* What ends a watch: it has to wait until it is asked for. Without a watch, nothing does. */
static sigset_t hold_signals(bool watch)
{
	sigset_t held;

	sigemptyset(&held);
	if (watch) {
		sigaddset(&held, SIGINT);
		sigaddset(&held, SIGTERM);
	}
	sigprocmask(SIG_BLOCK, &held, NULL);
	return held;
}

static double seconds_now(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec + now.tv_nsec / 1e9;
}

/* Wait until that time. Return whether a signal asks to end. */
static bool is_ended_before(double until, const sigset_t *held)
{
	for (;;) {
		double left = until - seconds_now();
		struct timespec wait = { 0 };

		if (left > 0) {
			wait.tv_sec = left;
			wait.tv_nsec = (left - wait.tv_sec) * 1e9;
		}
		if (sigtimedwait(held, NULL, &wait) > 0)
			return true;
		if (left <= 0)
			return false;
	}
}

static int report_gone(void)
{
	message("what was attached there has gone: it was detached, or its network namespace ended");
	return EXIT_NO_MATCH;
}

/* Look again after each interval, at least once, and show what has come since the look before. */
static int show_intervals(const struct options *options, struct status_look *before,
			  const sigset_t *held)
{
	unsigned long ms = options->interval_ms ? options->interval_ms : INTERVAL_DEFAULT_MS;
	bool redraw = options->watch && !options->json && isatty(STDOUT_FILENO);
	double next = seconds_now();
	struct status_look now;
	int ret;

	for (size_t blocks = 0;; blocks++) {
		next += ms / 1e3;
		/* A look may take longer than the interval. */
		if (next < seconds_now() + ms / 2e3)
			next = seconds_now() + ms / 1e3;
		if (is_ended_before(next, held))
			return EXIT_DONE;
		ret = status_look(options, &now);
		if (ret == EXIT_DONE && !now.n)
			ret = report_gone();
		if (ret == EXIT_DONE && redraw)
			fputs(CLEAR, stdout);
		else if (ret == EXIT_DONE && blocks && !options->json)
			putchar('\n');
		if (ret == EXIT_DONE)
			ret = show_compared(options, before, &now);
		status_look_free(before);
		*before = now;
		if (ret != EXIT_DONE || !options->watch)
			return ret;
	}
}

static int status_exec(const struct options *options)
{
	struct status_look first;
	sigset_t held;
	int ret;

	if (!options->interval_ms && !options->watch)
		return show_once(options);
	held = hold_signals(options->watch);
	ret = status_look(options, &first);
	if (ret == EXIT_DONE && !first.n)
		ret = options->json && !options->n_ports && !options->addr && !options->dev ?
			      show_compared(options, NULL, &first) :
			      report_none(options);
	else if (ret == EXIT_DONE)
		ret = show_intervals(options, &first, &held);
	status_look_free(&first);
	return ret;
}

/* ------------------------------------------------------------------ options */

static bool set_interval(struct options *options, const struct option_entry *entry,
			 const char *text)
{
	if (parse_seconds(text, entry->min, entry->max, &options->interval_ms))
		return true;
	message("--interval '%s' is not a number of seconds from %g to %g, with up to three digits "
		"after the point",
		text, entry->min / 1e3, entry->max / 1e3);
	return false;
}

static const struct option_entry status_options[] = {
	{ 0, "interval", "SECONDS",
	  "show what each worker was given within SECONDS: rate and share", .set = set_interval,
	  .min = INTERVAL_MIN_MS, .max = INTERVAL_MAX_MS },
	{ 0, "watch", NULL, "do so again and again, every second without --interval",
	  OPTION_FLAG(watch) },
};

const struct command cmd_status = {
	.name = "status",
	.summary = "Show what is steered: workers, packets of each, fallbacks by reason",
	.details = "reuseportctl-status(8) describes each column and each member of the JSON.",
	.takes = OPT_PORTS | OPT_PROTO | OPT_ADDR | OPT_NETNS | OPT_UID | OPT_JSON,
	.own = status_options,
	.n_own = sizeof(status_options) / sizeof(status_options[0]),
	.exec = status_exec,
};
