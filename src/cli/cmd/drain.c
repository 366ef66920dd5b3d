// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* reuseportctl drain, undrain, admit: whether a worker receives new work. */
#include <stdio.h>

#include "command.h"
#include "effect.h"
#include "drain_wait.h"
#include "filter.h"
#include "message.h"

/* Print the number of workers that changed and, if none did, why. */
static int print_changed(int count, const char *change, const char *none)
{
	printf("%s %d worker%s%s\n", change, count, count == 1 ? "" : "s", count ? "" : none);
	return exit_written();
}

static int drain_exec(const struct options *options)
{
	REUSEPORT_OPTS(reuseport_drain_opts, opts, .release = options->release,
		       .force = options->force);
	const char *worker = options->words[0];
	struct reuseport_filter filter;
	struct reuseport_error error;
	int ret = filter_from_options(options, &filter), waited;
	bool lost;

	if (ret != EXIT_DONE)
		return ret;
	ret = reuseport_drain(&filter, worker, &opts, &error);
	if (ret < 0)
		return exit_refused(&error);
	ret = print_changed(ret, "draining", "");
	if (ret != EXIT_DONE)
		return ret;
	ret = effect_check_served(options, &filter, &lost);
	/* That some members are not reached is no reason not to wait for the others. */
	waited = options->wait && !lost ? drain_wait(options, &filter, worker) : EXIT_DONE;
	return waited == EXIT_DONE ? ret : waited;
}

static int undrain_exec(const struct options *options)
{
	struct reuseport_filter filter;
	struct reuseport_error error;
	int ret = filter_from_options(options, &filter);

	if (ret != EXIT_DONE)
		return ret;
	ret = reuseport_undrain(&filter, options->words[0], &error);
	if (ret < 0)
		return exit_refused(&error);
	ret = print_changed(ret, "undrained", ": none was drained or replaced by a rollout");
	return ret == EXIT_DONE ? effect_check(options, &filter, NULL) : ret;
}

static int admit_exec(const struct options *options)
{
	struct reuseport_filter filter;
	struct reuseport_error error;
	int ret = filter_from_options(options, &filter);

	if (ret != EXIT_DONE)
		return ret;
	ret = reuseport_admit(&filter, options->words[0], &error);
	if (ret < 0)
		return exit_refused(&error);
	ret = print_changed(ret, "admitted", ": none is waiting, or only for a rollout to switch");
	return ret == EXIT_DONE ? effect_check(options, &filter, NULL) : ret;
}

const struct command cmd_drain = {
	.name = "drain",
	.words = "WORKER",
	.least = 1,
	.most = 1,
	.summary = "Send no new work to a worker; it keeps the work that it has queued",
	.details = WORKER_DETAILS,
	.takes = OPT_PORT | OPT_ONE_PROTO | OPT_ADDR | OPT_NETNS | OPT_UID | OPT_FORCE,
	.requires = OPT_PORT,
	.own = drain_wait_options,
	.n_own = DRAIN_WAIT_OPTIONS,
	.check = drain_wait_check,
	.exec = drain_exec,
};

const struct command cmd_undrain = {
	.name = "undrain",
	.words = "[WORKER]",
	.most = 1,
	.summary = "Send new work again to a worker drained, or replaced by a rollout",
	.details = WORKER_DETAILS,
	.takes = OPT_PORT | OPT_ONE_PROTO | OPT_ADDR | OPT_NETNS | OPT_UID,
	.requires = OPT_PORT,
	.exec = undrain_exec,
};

const struct command cmd_admit = {
	.name = "admit",
	.words = "[WORKER]",
	.most = 1,
	.summary = "Admit a worker that joined under --admit manual, or all of them",
	.details = WORKER_DETAILS,
	.takes = OPT_PORT | OPT_ONE_PROTO | OPT_ADDR | OPT_NETNS | OPT_UID,
	.requires = OPT_PORT,
	.exec = admit_exec,
};
