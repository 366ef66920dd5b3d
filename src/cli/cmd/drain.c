// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* reuseportctl drain, undrain, admit: whether a worker gets anything new. */
#include <stdio.h>
#include <string.h>

#include "command.h"
#include "drain_wait.h"
#include "words.h"

/* "none": why nothing happened, if nothing did. */
static int told(int count, const char *what, const char *none)
{
	printf("%s %d worker%s%s\n", what, count, count == 1 ? "" : "s", count ? "" : none);
	return word_written();
}

static bool anybody_serves(const struct reuseport_status *status)
{
	for (size_t i = 0; i < status->n_workers; i++)
		if (status->workers[i].weight &&
		    !strcmp(reuseport_state_name(status->workers[i].state), "active"))
			return true;
	return false;
}

/* A server of threads is one pid: to drain that is to drain all. */
static void warn_if_nobody_serves(const struct reuseport_filter *filter)
{
	struct reuseport_status *list;
	size_t n;

	if (reuseport_status(filter, &list, &n, NULL))
		return;
	for (size_t i = 0; i < n; i++)
		if (list[i].n_workers && !anybody_serves(&list[i]))
			fprintf(stderr, "reuseportctl: no worker is left that may get work: the "
					"kernel picks among all, drained or not\n");
	reuseport_status__free(list, n);
}

static int drain(const struct options *options)
{
	const char *worker = options->words[0];
	struct reuseport_filter filter;
	struct reuseport_error error;
	int ret = word_filter(options, &filter);

	if (ret != EXIT_DONE)
		return ret;
	ret = reuseport_drain(&filter, worker, options->release, &error);
	if (ret < 0)
		return word_refused(&error);
	ret = told(ret, "draining", "");
	warn_if_nobody_serves(&filter);
	return ret == EXIT_DONE && options->wait ? restart_wait(options, &filter, worker) : ret;
}

static int undrain(const struct options *options)
{
	struct reuseport_filter filter;
	struct reuseport_error error;
	int ret = word_filter(options, &filter);

	if (ret != EXIT_DONE)
		return ret;
	ret = reuseport_undrain(&filter, options->words[0], &error);
	return ret < 0 ? word_refused(&error) :
			 told(ret, "taken back", ": not drained, nor left behind by a rollout");
}

static int admit(const struct options *options)
{
	struct reuseport_filter filter;
	struct reuseport_error error;
	int ret = word_filter(options, &filter);

	if (ret != EXIT_DONE)
		return ret;
	ret = reuseport_admit(&filter, options->words[0], &error);
	return ret < 0 ? word_refused(&error) :
			 told(ret, "admitted", ": nobody waits, or for a rollout to switch");
}

const struct command cmd_drain = {
	.name = "drain",
	.words = "WORKER",
	.least = 1,
	.most = 1,
	.summary = "Give nothing new to a worker; what is queued there remains its own",
	.takes = OPT_PORT | OPT_PROTO | OPT_ADDR | OPT_NETNS,
	.requires = OPT_PORT,
	.own = restart_options,
	.n_own = RESTART_OPTIONS,
	.check = restart_check,
	.exec = drain,
};

const struct command cmd_undrain = {
	.name = "undrain",
	.words = "WORKER",
	.least = 1,
	.most = 1,
	.summary = "Take back a worker that was drained, or left behind by a rollout",
	.takes = OPT_PORT | OPT_PROTO | OPT_ADDR | OPT_NETNS,
	.requires = OPT_PORT,
	.exec = undrain,
};

const struct command cmd_admit = {
	.name = "admit",
	.words = "[WORKER]",
	.most = 1,
	.summary =
		"Let a worker in that joined under --admit manual; all that wait, if none is named",
	.takes = OPT_PORT | OPT_PROTO | OPT_ADDR | OPT_NETNS,
	.requires = OPT_PORT,
	.exec = admit,
};
