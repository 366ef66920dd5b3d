// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* reuseportctl weight: sets the weight of a worker while the attachment is in use. */
#include <stdio.h>
#include <string.h>

#include "bounds.h"
#include "command.h"
#include "effect.h"
#include "filter.h"
#include "hint.h"
#include "message.h"
#include "parse.h"

/* Warn if the policy ignores the weight. That is not an error: another policy may be
 * set later. */
static void warn_without_effect(const struct options *options,
				const struct reuseport_filter *filter, unsigned long weight)
{
	static const char *const ignoring[] = { "hash", "linux39", "least-queue" };
	const struct reuseport_group_policy *group;
	struct reuseport_policy_list *groups;
	char place[HINT_PLACE_MAX];

	if (weight < 2 || reuseport_get_policy(filter, &groups, NULL))
		return;
	hint_place(options, place);
	for (size_t i = 0; (group = reuseport_policy_list__get(groups, i)); i++)
		for (size_t j = 0; j < sizeof(ignoring) / sizeof(ignoring[0]); j++)
			if (!strcmp(group->policy->policy, ignoring[j]))
				message("policy %s ignores weights other than 0; to use them, "
					"run 'reuseportctl policy%s weighted'",
					ignoring[j], place);
	reuseport_policy_list__free(groups);
}

static int weight_exec(const struct options *options)
{
	const char *text = options->words[1];
	struct reuseport_filter filter;
	struct reuseport_error error;
	unsigned long weight;
	int ret;

	if (!parse_number(text, 0, REUSEPORT_WEIGHT_MAX, &weight)) {
		message("weight '%s' is %s (0 to %d)", text,
			parse_is_digits(text) ? "out of range" : "not a whole number",
			REUSEPORT_WEIGHT_MAX);
		return EXIT_USAGE;
	}
	ret = filter_from_options(options, &filter);
	if (ret != EXIT_DONE)
		return ret;
	ret = reuseport_set_weight(&filter, options->words[0], weight, &error);
	if (ret < 0)
		return exit_refused(&error);
	printf("weight %lu for %d worker%s\n", weight, ret, ret == 1 ? "" : "s");
	warn_without_effect(options, &filter, weight);
	ret = exit_written();
	if (ret != EXIT_DONE)
		return ret;
	return weight ? effect_check(options, &filter, NULL) :
			effect_check_served(options, &filter, NULL);
}

const struct command cmd_weight = {
	.name = "weight",
	.words = "WORKER WEIGHT",
	.least = 2,
	.most = 2,
	.summary = "Set a worker's weight",
	.details = "WEIGHT is 0 to " BOUND_TEXT(
		REUSEPORT_WEIGHT_MAX) "; 0 means no new work. " WORKER_DETAILS,
	.takes = OPT_PORT | OPT_ONE_PROTO | OPT_ADDR | OPT_NETNS | OPT_UID,
	.requires = OPT_PORT,
	.exec = weight_exec,
};
