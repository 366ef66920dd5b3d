// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* reuseportctl policy: who gets the next one, changed while it works. */
#include <stdio.h>
#include <stdlib.h>

#include "command.h"
#include "show/status.h"
#include "words.h"

static int list(void)
{
	const struct reuseport_policy *policy;

	for (size_t i = 0; (policy = reuseport_policy_at(i)); i++)
		printf("%-12s %s\n", policy->name, policy->summary);
	return word_written();
}

/* Without a policy: the one that there is. */
static int show(const struct reuseport_filter *filter)
{
	struct reuseport_ruled *found;
	struct reuseport_error error;
	size_t n;

	if (reuseport_get_policy(filter, &found, &n, &error))
		return word_failure(&error);
	for (size_t i = 0; i < n; i++)
		show_policy(&found[i]);
	free(found);
	return word_written();
}

static int policy(const struct options *options)
{
	const struct reuseport_policy_opts *rules = &options->rules;
	struct reuseport_filter filter;
	struct reuseport_error error;
	int ret;

	if (options->list)
		return list();
	ret = word_filter(options, &filter);
	if (ret != EXIT_DONE)
		return ret;
	if (!rules->policy && !rules->key && !rules->hash_key && !rules->over && !rules->cpu_map)
		return show(&filter);
	if (reuseport_set_policy(&filter, rules, &error) < 0)
		return word_refused(&error);
	return show(&filter);
}

const struct command cmd_policy = {
	.name = "policy",
	.words = "[POLICY]",
	.most = 1,
	.summary = "Show or change who gets the next connection or datagram",
	.takes = OPT_PORT | OPT_PROTO | OPT_ADDR | OPT_NETNS | OPT_RULES | OPT_LIST,
	.requires = OPT_PORT,
	.exec = policy,
};
