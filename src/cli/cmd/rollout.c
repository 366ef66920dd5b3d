// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* reuseportctl rollout: from one generation of workers to the next, and back. */
#include <stdio.h>
#include <string.h>

#include "command.h"
#include "drain_wait.h"
#include "words.h"

static const struct {
	const char *name;
	enum reuseport_rollout step;
	const char *done;
} steps[] = {
	{ "begin", REUSEPORT_ROLLOUT_BEGIN, "begun: start the new workers, then switch" },
	{ "switch", REUSEPORT_ROLLOUT_SWITCH,
	  "switched: all new work goes to the new workers; "
	  "finish, or abort" },
	{ "finish", REUSEPORT_ROLLOUT_FINISH, "finished: the old workers get nothing new" },
	{ "abort", REUSEPORT_ROLLOUT_ABORT, "aborted: all new work goes to the old workers" },
};

#define STEPS (sizeof(steps) / sizeof(steps[0]))

static int rollout(const struct options *options)
{
	struct reuseport_filter filter;
	struct reuseport_error error;
	size_t i = 0;
	int ret;

	while (i < STEPS && strcmp(options->words[0], steps[i].name))
		i++;
	if (i == STEPS) {
		fprintf(stderr,
			"reuseportctl rollout: '%s' is no step: begin, switch, finish, "
			"abort\n",
			options->words[0]);
		return EXIT_USAGE;
	}
	if (options->wait && steps[i].step != REUSEPORT_ROLLOUT_FINISH) {
		fprintf(stderr, "reuseportctl rollout: --wait goes with finish\n");
		return EXIT_USAGE;
	}
	ret = word_filter(options, &filter);
	if (ret != EXIT_DONE)
		return ret;
	if (reuseport_rollout(&filter, steps[i].step, &error) < 0)
		return word_failure(&error);
	puts(steps[i].done);
	ret = word_written();
	if (ret == EXIT_DONE && options->wait)
		ret = restart_wait(options, &filter, NULL);
	return ret;
}

const struct command cmd_rollout = {
	.name = "rollout",
	.words = "begin|switch|finish|abort",
	.least = 1,
	.most = 1,
	.summary = "Replace all workers by a new generation, in one step, with a way back",
	.takes = OPT_PORT | OPT_PROTO | OPT_ADDR | OPT_NETNS,
	.requires = OPT_PORT,
	.own = restart_options,
	.n_own = 2, /* without --release */
	.check = restart_check,
	.exec = rollout,
};
