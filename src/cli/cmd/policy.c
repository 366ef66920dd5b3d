// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* reuseportctl policy: shows or changes the selection policy of an attachment. */
#include <stdio.h>

#include "command.h"
#include "effect.h"
#include "filter.h"
#include "format.h"
#include "show/policy_info.h"

static int list_policies(void)
{
	const struct reuseport_policy *policy;

	for (size_t i = 0; (policy = reuseport_policy_at(i)); i++)
		printf("%-12s %s\n", policy->name, policy->summary);
	return exit_written();
}

/* Return whether the list has another group at the same place. */
static bool policy_has_twin(const struct reuseport_policy_list *groups,
			    const struct reuseport_key *key)
{
	const struct reuseport_group_policy *other;
	bool has = false;

	for (size_t i = 0; (other = reuseport_policy_list__get(groups, i)); i++)
		has |= format_needs_uid(key, other->key);
	return has;
}

static int print_policy_in_use(const struct reuseport_filter *filter)
{
	const struct reuseport_group_policy *group;
	struct reuseport_policy_list *groups;
	struct reuseport_error error;

	if (reuseport_get_policy(filter, &groups, &error))
		return exit_failed(&error);
	for (size_t i = 0; (group = reuseport_policy_list__get(groups, i)); i++)
		show_policy_line(group, policy_has_twin(groups, group->key));
	reuseport_policy_list__free(groups);
	return exit_written();
}

static int policy_exec(const struct options *options)
{
	const struct reuseport_policy_opts *opts = &options->policy;
	struct reuseport_filter filter;
	struct reuseport_error error;
	int ret;

	if (options->list)
		return list_policies();
	ret = filter_from_options(options, &filter);
	if (ret != EXIT_DONE)
		return ret;
	if (!opts->policy && !opts->key && !opts->hash_key && !opts->over && !opts->cpu_map)
		return print_policy_in_use(&filter);
	if (reuseport_set_policy(&filter, opts, &error) < 0)
		return exit_refused(&error);
	ret = print_policy_in_use(&filter);
	return ret == EXIT_DONE ? effect_check_policy(options, &filter) : ret;
}

const struct command cmd_policy = {
	.name = "policy",
	.words = "[POLICY]",
	.most = 1,
	.summary = "Show or change the selection policy of a running attachment",
	.takes = OPT_PORT | OPT_PROTO | OPT_ADDR | OPT_NETNS | OPT_UID | OPT_POLICY_OPTS | OPT_LIST,
	.requires = OPT_PORT,
	.exec = policy_exec,
};
