// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* reuseportctl simulate: predicts each worker's share, and what a change would move. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bounds.h"
#include "command.h"
#include "show/simulation.h"
#include "simulate/packets.h"
#include "simulate/setting.h"
#include "simulate/simulate_options.h"

/* Set the changes to examine if the options name none: a join, the leave of the first
 * worker that has weight, and twice its weight. Return their number. */
static unsigned int default_changes(const struct setting *setting, struct reuseport_change *changes)
{
	const struct reuseport_simulated_worker *first = setting->workers;
	unsigned int n = 0;

	for (size_t i = 1; i < setting->n && !first->weight; i++)
		first = &setting->workers[i];
	changes[n++] = (struct reuseport_change)REUSEPORT_INIT(reuseport_change,
							       .kind = REUSEPORT_JOIN);
	if (setting->n > 1)
		changes[n++] = (struct reuseport_change)REUSEPORT_INIT(
			reuseport_change, .kind = REUSEPORT_LEAVE, .slot = first->slot);
	changes[n++] = (struct reuseport_change)REUSEPORT_INIT(
		reuseport_change, .kind = REUSEPORT_WEIGHT, .slot = first->slot,
		.weight = first->weight > REUSEPORT_WEIGHT_MAX / 2 ? REUSEPORT_WEIGHT_MAX :
								     2 * first->weight);
	return n;
}

/* ------------------------------------------------------- options of a policy */

/* Return the value if the policy accepts it as the option at this offset, else NULL. */
static const char *fitting(const char *policy, const char *value, size_t member)
{
	struct reuseport_policy_opts alone = { .sz = sizeof(alone), .policy = policy };

	memcpy((char *)&alone + member, &value, sizeof(value));
	return reuseport_policy_check(&alone, NULL) ? NULL : value;
}

#define FITTING(policy, opts, option) \
	fitting(policy, (opts)->option, offsetof(struct reuseport_policy_opts, option))

static bool uses_cpu_map(const char *policy)
{
	return !strcmp(policy, "cpu") || !strcmp(policy, "numa");
}

/* Add the options of the attachment that the policy accepts and that are not set yet. */
static void inherit_opts(struct reuseport_policy_opts *opts,
			 const struct reuseport_policy_info *attached, bool all)
{
	const struct reuseport_policy_opts theirs = {
		.key = attached->key,
		.hash_key = attached->hash_key,
		.over = "consistent",
	};

	if (!opts->key)
		opts->key = FITTING(opts->policy, &theirs, key);
	if (!opts->hash_key && *attached->hash_key)
		opts->hash_key = FITTING(opts->policy, &theirs, hash_key);
	if (!opts->over && attached->over_consistent && !all)
		opts->over = FITTING(opts->policy, &theirs, over);
}

/* Return the policy with its options. If all policies are simulated, each gets only the
 * options that it accepts. */
static struct reuseport_policy_opts opts_of_policy(const struct setting *setting,
						   const char *policy, bool all)
{
	struct reuseport_policy_opts opts = setting->policy;

	opts.policy = policy;
	if (all) {
		opts.key = FITTING(policy, &setting->policy, key);
		opts.hash_key = FITTING(policy, &setting->policy, hash_key);
		opts.over = FITTING(policy, &setting->policy, over);
		/* Do not check the map: --cpus can be more than this host has. */
		opts.cpu_map = uses_cpu_map(policy) ? setting->policy.cpu_map : NULL;
	}
	if (setting->status)
		inherit_opts(&opts, setting->status->policy, all);
	return opts;
}

/* ------------------------------------------------------------- the simulations */

static int simulate_policy(const struct options *options, const struct setting *setting,
			   const struct reuseport_policy_opts *policy,
			   struct simulation_results *results)
{
	const struct simulate_options *simulate = &options->simulate;
	struct reuseport_change defaults[3];
	unsigned int n = default_changes(setting, defaults);
	struct reuseport_simulation_opts opts = {
		.sz = sizeof(opts),
		.policy = policy,
		.workers = setting->workers,
		.n_workers = setting->n,
		.packets = results->packets->tuples,
		.changes = simulate->n_changes ? simulate->changes : defaults,
		.n_changes = simulate->n_changes ? simulate->n_changes : n,
		.slots = setting->slots,
		.table_entries = setting->table,
		.cpus = simulate->cpus,
		.nodes = simulate->nodes,
		.seed = results->seed,
	};
	struct reuseport_error error;

	if (reuseport_simulate(&opts, &results->list[results->n], &error))
		return exit_refused(&error);
	results->n++;
	return EXIT_DONE;
}

static int simulate_all(const struct options *options, const struct setting *setting,
			struct simulation_results *results)
{
	const struct reuseport_policy *known;
	struct reuseport_policy_opts policy;
	int ret = EXIT_DONE;
	size_t n = 0;

	while (reuseport_policy_at(n))
		n++;
	/* Without --over, "weighted" is simulated over both of its base policies. */
	results->list = calloc(n + 1, sizeof(*results->list));
	if (!results->list)
		return exit_no_memory();
	for (size_t i = 0; ret == EXIT_DONE && (known = reuseport_policy_at(i)); i++) {
		policy = opts_of_policy(setting, known->name, true);
		ret = simulate_policy(options, setting, &policy, results);
		if (ret != EXIT_DONE || strcmp(known->name, "weighted") || policy.over)
			continue;
		policy.over = "consistent";
		ret = simulate_policy(options, setting, &policy, results);
	}
	return ret;
}

static int simulate_one(const struct options *options, const struct setting *setting,
			struct simulation_results *results)
{
	struct reuseport_policy_opts policy = opts_of_policy(setting, setting->policy.policy,
							     false);

	results->list = calloc(1, sizeof(*results->list));
	return results->list ? simulate_policy(options, setting, &policy, results) :
			       exit_no_memory();
}

static int print_results(const struct options *options, const struct simulation_results *results)
{
	if (options->json)
		return show_simulation_json(results);
	show_simulation_text(results);
	return exit_written();
}

static int simulate_exec(const struct options *options)
{
	struct simulation_results results = {
		.seed = options->simulate.seed ? options->simulate.seed : SEED_DEFAULT,
	};
	struct packet_list packets;
	struct setting setting;
	int ret = setting_make(&setting, options);

	if (ret != EXIT_DONE)
		return ret;
	results.packets = &packets;
	results.n_workers = setting.n;
	results.all = !setting.policy.policy;
	ret = packets_read(&packets, options, results.seed);
	if (ret == EXIT_DONE)
		ret = results.all ? simulate_all(options, &setting, &results) :
				    simulate_one(options, &setting, &results);
	if (ret == EXIT_DONE)
		ret = print_results(options, &results);
	for (size_t i = 0; i < results.n; i++)
		reuseport_simulation__free(results.list[i]);
	free(results.list);
	packet_list_free(&packets);
	setting_free(&setting);
	return ret;
}

const struct command cmd_simulate = {
	.name = "simulate",
	.summary = "Predict each worker's share by policy, and what a change would move",
	.takes = OPT_PORT | OPT_ONE_PROTO | OPT_ADDR | OPT_NETNS | OPT_UID | OPT_POLICY_OPTS |
		 OPT_TABLE | OPT_JSON,
	.own = simulate_option_table,
	.n_own = SIMULATE_OPTIONS,
	.check = simulate_options_check,
	.exec = simulate_exec,
};
