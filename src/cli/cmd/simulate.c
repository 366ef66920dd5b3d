// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* reuseportctl simulate: who would get how much, and what a change would move. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "command.h"
#include "simulate/packets.h"
#include "simulate/simulate.h"
#include "words.h"

#define SEED_DEFAULT 1

const char *simulate_change_name(const struct reuseport_change *change)
{
	static const char *const names[] = { "", "join", "leave", "weight" };

	return names[change->kind];
}

/* What is examined if nobody says: a join, the first leaves, its weight doubles. */
static unsigned int default_changes(const struct scene *scene, struct reuseport_change *changes)
{
	const struct reuseport_simulated_worker *first = scene->workers;
	unsigned int n = 0;

	for (size_t i = 1; i < scene->n && !first->weight; i++)
		first = &scene->workers[i];
	changes[n++] = (struct reuseport_change){ .kind = REUSEPORT_JOIN };
	if (scene->n > 1)
		changes[n++] = (struct reuseport_change){ .kind = REUSEPORT_LEAVE,
							  .slot = first->slot };
	changes[n++] = (struct reuseport_change){
		.kind = REUSEPORT_WEIGHT,
		.slot = first->slot,
		.weight = first->weight > 500 ? 1000 : 2 * first->weight,
	};
	return n;
}

/* ---------------------------------------------------------------- the words */

/* The word if it goes with the policy, else NULL. */
static const char *fitting(const char *policy, const char *word, size_t member)
{
	struct reuseport_policy_opts alone = { .sz = sizeof(alone), .policy = policy };

	memcpy((char *)&alone + member, &word, sizeof(word));
	return reuseport_policy_check(&alone, NULL) ? NULL : word;
}

#define FITTING(policy, words, word) \
	fitting(policy, (words)->word, offsetof(struct reuseport_policy_opts, word))

static bool by_place(const char *policy)
{
	return !strcmp(policy, "cpu") || !strcmp(policy, "numa");
}

/* Of many policies each takes what goes with it; of an attachment's words too. */
static struct reuseport_policy_opts words_for(const struct scene *scene, const char *policy,
					      bool all)
{
	const struct reuseport_status *status = scene->status;
	struct reuseport_policy_opts words = scene->rules;

	words.policy = policy;
	if (all) {
		words.key = FITTING(policy, &scene->rules, key);
		words.hash_key = FITTING(policy, &scene->rules, hash_key);
		words.over = FITTING(policy, &scene->rules, over);
		/* Not to be checked here, as --cpus may be others than this host's. */
		words.cpu_map = by_place(policy) ? scene->rules.cpu_map : NULL;
	}
	if (!status)
		return words;
	if (!words.key)
		words.key = fitting(policy, status->rules.key,
				    offsetof(struct reuseport_policy_opts, key));
	if (!words.hash_key && *status->rules.hash_key)
		words.hash_key = fitting(policy, status->rules.hash_key,
					 offsetof(struct reuseport_policy_opts, hash_key));
	if (!words.over && status->rules.over_consistent && !all)
		words.over = fitting(policy, "consistent",
				     offsetof(struct reuseport_policy_opts, over));
	return words;
}

/* ---------------------------------------------------------------- the policies */

static int run(const struct options *options, struct results *results,
	       const struct reuseport_policy_opts *words)
{
	const struct simulate_options *simulate = &options->simulate;
	const struct scene *scene = results->scene;
	struct reuseport_change defaults[3];
	unsigned int n = default_changes(scene, defaults);
	struct reuseport_simulation_opts opts = {
		.sz = sizeof(opts),
		.rules = words,
		.workers = scene->workers,
		.n_workers = scene->n,
		.tuples = results->input->tuples,
		.n_tuples = results->input->n,
		.changes = simulate->n_changes ? simulate->changes : defaults,
		.n_changes = simulate->n_changes ? simulate->n_changes : n,
		.slots = scene->slots,
		.table_entries = scene->table,
		.cpus = simulate->cpus,
		.nodes = simulate->nodes,
		.seed = results->seed,
	};
	struct reuseport_error error;

	if (reuseport_simulate(&opts, &results->list[results->n], &error))
		return word_refused(&error);
	results->n++;
	return EXIT_DONE;
}

static int run_all(const struct options *options, struct results *results)
{
	const struct reuseport_policy *policy;
	struct reuseport_policy_opts words;
	int ret = EXIT_DONE;
	size_t n = 0;

	while (reuseport_policy_at(n))
		n++;
	/* One of them may lie over either of two. */
	results->list = calloc(n + 1, sizeof(*results->list));
	if (!results->list)
		return EXIT_FAILED;
	for (size_t i = 0; ret == EXIT_DONE && (policy = reuseport_policy_at(i)); i++) {
		words = words_for(results->scene, policy->name, true);
		ret = run(options, results, &words);
		if (ret != EXIT_DONE || strcmp(policy->name, "weighted") || words.over)
			continue;
		words.over = "consistent";
		ret = run(options, results, &words);
	}
	return ret;
}

static int run_one(const struct options *options, struct results *results)
{
	struct reuseport_policy_opts words = words_for(results->scene, results->scene->rules.policy,
						       false);

	results->list = calloc(1, sizeof(*results->list));
	return results->list ? run(options, results, &words) : EXIT_FAILED;
}

static int show(const struct options *options, const struct results *results)
{
	if (options->json)
		show_simulation_json(results);
	else
		show_simulation_text(results);
	return word_written();
}

static int simulate(const struct options *options)
{
	unsigned long seed = options->simulate.seed ? options->simulate.seed : SEED_DEFAULT;
	struct input input;
	struct scene scene;
	struct results results = { .scene = &scene, .input = &input, .seed = seed };
	int ret = scene_make(&scene, options);

	if (ret != EXIT_DONE)
		return ret;
	results.all = !scene.rules.policy;
	ret = input_read(&input, options, seed);
	if (ret == EXIT_DONE)
		ret = results.all ? run_all(options, &results) : run_one(options, &results);
	if (ret == EXIT_DONE)
		ret = show(options, &results);
	for (size_t i = 0; i < results.n; i++)
		reuseport_simulation__free(results.list[i]);
	free(results.list);
	input_free(&input);
	scene_free(&scene);
	return ret;
}

const struct command cmd_simulate = {
	.name = "simulate",
	.summary = "Tell who would get how much by each policy, and what a change would move",
	.takes = OPT_PORT | OPT_PROTO | OPT_ADDR | OPT_NETNS | OPT_RULES | OPT_TABLE | OPT_JSON,
	.own = simulate_own,
	.n_own = SIMULATE_OWN,
	.check = simulate_check,
	.exec = simulate,
};
