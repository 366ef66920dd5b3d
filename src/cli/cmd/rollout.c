// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* reuseportctl rollout: moves traffic from one generation of workers to the next, and back. */
#include <stdio.h>
#include <string.h>

#include "command.h"
#include "effect.h"
#include "drain_wait.h"
#include "filter.h"

static const struct {
	const char *name;
	enum reuseport_rollout_step step;
	const char *done;
} steps[] = {
	{ "begin", REUSEPORT_ROLLOUT_BEGIN, "begun: start the new workers, then switch" },
	{ "switch", REUSEPORT_ROLLOUT_SWITCH,
	  "switched: all new work goes to the new workers; finish or abort" },
	{ "finish", REUSEPORT_ROLLOUT_FINISH, "finished: the old workers receive no new work" },
	{ "abort", REUSEPORT_ROLLOUT_ABORT, "aborted: all new work goes to the old workers" },
};

#define STEPS (sizeof(steps) / sizeof(steps[0]))

static int rollout_exec(const struct options *options)
{
	struct reuseport_filter filter;
	struct reuseport_error error;
	size_t i = 0;
	bool lost;
	int ret, waited;

	while (i < STEPS && strcmp(options->words[0], steps[i].name))
		i++;
	if (i == STEPS) {
		options_wrong(options, "'%s' is not a step (begin, switch, finish, abort)",
			      options->words[0]);
		return EXIT_USAGE;
	}
	if (options->wait && steps[i].step != REUSEPORT_ROLLOUT_FINISH) {
		options_wrong(options, "--wait can be used only with finish");
		return EXIT_USAGE;
	}
	ret = filter_from_options(options, &filter);
	if (ret != EXIT_DONE)
		return ret;
	if (reuseport_rollout(&filter, steps[i].step, &error) < 0)
		return exit_failed(&error);
	puts(steps[i].done);
	ret = exit_written();
	if (ret != EXIT_DONE)
		return ret;
	ret = effect_check(options, &filter, &lost);
	waited = options->wait && !lost ? drain_wait(options, &filter, NULL) : EXIT_DONE;
	return waited == EXIT_DONE ? ret : waited;
}

const struct command cmd_rollout = {
	.name = "rollout",
	.words = "begin|switch|finish|abort",
	.least = 1,
	.most = 1,
	.summary = "Switch all new work to a new generation of workers, or back",
	.takes = OPT_PORT | OPT_ONE_PROTO | OPT_ADDR | OPT_NETNS | OPT_UID,
	.requires = OPT_PORT,
	.own = drain_wait_options,
	.n_own = DRAIN_WAIT_OPTIONS - 1, /* without --release */
	.check = drain_wait_check,
	.exec = rollout_exec,
};
