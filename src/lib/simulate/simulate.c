// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* reuseport_simulate(): each worker's share by a policy, and what a change would move. */
#include <errno.h>
#include <stdlib.h>

#include "decide/chain.h"
#include "error.h"
#include "item_list.h"
#include "opts.h"
#include "policy/limits.h"
#include "policy/policy_info.h"
#include "reuseport_simulate.h"
#include "simulate/random_stream.h"
#include "simulate/replay.h"
#include "simulate/shares.h"

/* What a caller gets. */
struct simulation_result {
	struct reuseport_simulation simulation; /* first */
	struct reuseport_policy_info policy;
	struct item_list shares;  /* of struct reuseport_simulated_share */
	struct item_list changes; /* of struct change_result */
};

struct change_result {
	struct reuseport_simulated_change simulated; /* first */
	struct reuseport_change change;
	struct item_list shares; /* of struct reuseport_simulated_share */
};

/* The state of one simulation. */
struct simulation {
	struct reuseport_simulation_opts opts;
	struct reuseport_policy_opts policy;
	struct reuseport_change *changes;
	struct policy_choice choice;
	struct replay replay;
	struct workers workers;
	uint16_t *before, *after; /* owners of the packets */
};

/* ----------------------------------------------------------------------- input */

static int check_simulation_opts(const struct reuseport_simulation_opts *opts,
				 struct reuseport_error *err)
{
	if (!opts->n_workers || !opts->workers)
		return fail(err, EINVAL, "a simulation needs one worker or more");
	if (opts->n_changes && !opts->changes)
		return fail(err, EINVAL, "there are %zu changes, but no array of them",
			    opts->n_changes);
	if (!reuseport_tuple_list__count(opts->packets))
		return fail(err, EINVAL, "a simulation needs one packet or more");
	if (opts->n_workers >= REUSEPORT_SLOTS_MAX || opts->slots > REUSEPORT_SLOTS_MAX)
		return fail(err, EINVAL, "a simulation has up to %u workers and %u slots",
			    REUSEPORT_SLOTS_MAX - 1, REUSEPORT_SLOTS_MAX);
	if (opts->table_entries && !limits_table_valid(opts->table_entries))
		return fail(err, EINVAL,
			    "%u table entries: the number must be a power of two, %u to %u",
			    opts->table_entries, REUSEPORT_TABLE_MIN, REUSEPORT_TABLE_MAX);
	return 0;
}

/* Copy the changes that the caller asks for. */
static int read_changes(struct simulation *s, struct reuseport_error *err)
{
	int ret = 0;

	s->changes = calloc(s->opts.n_changes + 1, sizeof(*s->changes));
	if (!s->changes)
		return fail(err, ENOMEM, "out of memory");
	for (size_t i = 0; !ret && i < s->opts.n_changes; i++) {
		struct reuseport_change *change = &s->changes[i];

		ret = opts_copy_element(change, s->opts.changes, i, err);
		if (!ret && (change->kind < REUSEPORT_JOIN || change->kind > REUSEPORT_WEIGHT))
			ret = fail(err, EINVAL, "a change must be a join, a leave or a weight");
	}
	return ret;
}

/* Choose the policy. The default hash key is made of the seed, so that a run can be
 * repeated. */
static int choose_policy(struct simulation *s, struct reuseport_error *err)
{
	struct plan seeded = {
		.policy = POLICY_HASH,
		.hash_key = { random_number(s->opts.seed, STREAM_HASH_KEY, 0),
			      random_number(s->opts.seed, STREAM_HASH_KEY, 1) | 1 },
	};
	int ret;

	s->policy = (struct reuseport_policy_opts){ .sz = sizeof(s->policy) };
	ret = opts_copy(&s->policy, s->opts.policy, err);
	return ret ? ret : policy_choose(&s->policy, &seeded, &s->choice, err);
}

static int read_cpu_map(struct simulation *s, unsigned int slots, struct reuseport_error *err)
{
	struct replay *replay = &s->replay;

	if (!s->choice.cpu_map)
		return 0;
	replay->given = calloc(replay->layout.cpus, sizeof(*replay->given));
	if (!replay->given)
		return fail(err, ENOMEM, "out of memory");
	return policy_read_map(s->choice.cpu_map, replay->given, replay->layout.cpus, slots, err);
}

static int prepare_simulation(struct simulation *s, struct reuseport_error *err)
{
	const struct reuseport_simulation_opts *opts = &s->opts;
	unsigned int slots = opts->slots ? opts->slots : limits_slots_for(opts->n_workers);
	int ret = read_changes(s, err);

	if (!ret)
		ret = choose_policy(s, err);
	s->replay.plan = s->choice.plan;
	s->replay.seed = opts->seed;
	s->replay.room = opts->table_entries ? opts->table_entries :
					       limits_table_for(opts->n_workers);
	if (!ret)
		ret = cpu_layout_make(&s->replay.layout, opts->cpus, opts->nodes, err);
	if (!ret)
		ret = read_cpu_map(s, slots, err);
	if (!ret)
		ret = workers_make(&s->workers, slots, opts->workers, opts->n_workers, err);
	if (!ret)
		ret = replay_prepare(&s->replay, opts->packets, err);
	if (ret)
		return ret;
	s->before = malloc(s->replay.n * sizeof(*s->before));
	s->after = malloc(s->replay.n * sizeof(*s->after));
	return s->before && s->after ? 0 : fail(err, ENOMEM, "out of memory");
}

static void free_simulation_state(struct simulation *s)
{
	free(s->changes);
	replay_free(&s->replay);
	free(s->replay.given);
	cpu_layout_free(&s->replay.layout);
	workers_free(&s->workers);
	free(s->before);
	free(s->after);
}

/* ---------------------------------------------------------------------- output */

static unsigned int simulation_notes(const struct simulation *s)
{
	const struct plan *plan = &s->replay.plan;
	bool places = chain_by_place(plan->policy);
	bool turns = plan->policy == POLICY_ROUND_ROBIN, random = plan->policy == POLICY_RANDOM;
	bool queues = plan->policy == POLICY_LEAST_QUEUE, own = plan->flags & PLAN_OWN_HASH;
	unsigned int notes = 0;

	if (!own && !turns && !random)
		notes |= REUSEPORT_NOTE_STAND_IN;
	if (own && !s->policy.hash_key)
		notes |= REUSEPORT_NOTE_KEY;
	if (random)
		notes |= REUSEPORT_NOTE_CHANCE;
	if (queues)
		notes |= REUSEPORT_NOTE_QUEUES;
	if (places || turns)
		notes |= REUSEPORT_NOTE_RECEIVE;
	if (places && !s->choice.cpu_map && !s->workers.pids[s->workers.members[0]])
		notes |= REUSEPORT_NOTE_PLACES;
	if (queues || turns || random)
		notes |= REUSEPORT_NOTE_NO_KEYS;
	if (!plan->width)
		notes |= REUSEPORT_NOTE_ORDER;
	if (plan->policy == POLICY_HASH || plan->policy == POLICY_LINUX39 || queues)
		if (shares_differ(&s->workers))
			notes |= REUSEPORT_NOTE_EQUAL;
	return notes;
}

/* Run the simulation once more, with workers that the change was applied to. */
static int replay_change(struct simulation *s, const struct workers *workers, bool keeps_keys,
			 struct change_result *result, struct reuseport_error *err)
{
	struct reuseport_simulated_change *out = &result->simulated;
	int ret = replay_run(&s->replay, workers, s->after, err);

	if (!ret)
		ret = shares_count(workers, s->after, s->replay.n, &result->shares, &out->nobody,
				   err);
	out->shares = (const struct reuseport_simulated_share *const *)result->shares.items;
	out->n_shares = result->shares.n;
	if (!ret && keeps_keys)
		ret = shares_compare(s->before, s->after, s->replay.n, workers->slots, out, err);
	return ret;
}

static int simulate_change(struct simulation *s, const struct reuseport_change *change,
			   struct simulation_result *out, struct reuseport_error *err)
{
	struct change_result *result = item_list_add(&out->changes, sizeof(*result));
	struct workers workers;
	int ret;

	if (!result)
		return fail(err, ENOMEM, "out of memory");
	result->change = *change;
	result->simulated.change = &result->change;
	ret = workers_copy(&workers, &s->workers, err);
	if (ret)
		return ret;
	ret = workers_change(&workers, &result->change, err);
	if (!ret)
		ret = replay_change(s, &workers, out->simulation.keeps_keys, result, err);
	workers_free(&workers);
	return ret;
}

/* Describe the workers as they are, before any change. */
static void describe_simulation(const struct simulation *s, struct simulation_result *result)
{
	struct reuseport_simulation *out = &result->simulation;

	out->shares = (const struct reuseport_simulated_share *const *)result->shares.items;
	out->n_shares = result->shares.n;
	out->packets = s->replay.n;
	out->slots = s->workers.slots;
	policy_info_of_plan(&result->policy, &s->replay.plan);
	result->policy.table_entries = s->replay.room;
	out->policy = &result->policy;
	out->notes = simulation_notes(s);
	out->exact = !(out->notes & ~(REUSEPORT_NOTE_ORDER | REUSEPORT_NOTE_EQUAL));
	out->keeps_keys = !(out->notes & REUSEPORT_NOTE_NO_KEYS);
	shares_summarize(out);
}

static int run_simulation(struct simulation *s, struct simulation_result *result,
			  struct reuseport_error *err)
{
	struct reuseport_simulation *out = &result->simulation;
	int ret = replay_run(&s->replay, &s->workers, s->before, err);

	if (!ret)
		ret = shares_count(&s->workers, s->before, s->replay.n, &result->shares,
				   &out->nobody, err);
	if (ret)
		return ret;
	describe_simulation(s, result);
	for (size_t i = 0; !ret && i < s->opts.n_changes; i++)
		ret = simulate_change(s, &s->changes[i], result, err);
	out->changes = (const struct reuseport_simulated_change *const *)result->changes.items;
	out->n_changes = result->changes.n;
	return ret;
}

/* -------------------------------------------------------------------- public */

int reuseport_simulate(const struct reuseport_simulation_opts *from,
		       struct reuseport_simulation **simulation, struct reuseport_error *err)
{
	struct simulation s = { .opts = { .sz = sizeof(s.opts) } };
	struct simulation_result *result;
	int ret = opts_copy(&s.opts, from, err);

	if (!ret && !simulation)
		ret = fail(err, EINVAL, "a simulation needs a place for the result");
	if (!ret)
		ret = check_simulation_opts(&s.opts, err);
	if (ret)
		return ret;
	result = calloc(1, sizeof(*result));
	if (!result)
		return fail(err, ENOMEM, "out of memory");
	ret = prepare_simulation(&s, err);
	if (!ret)
		ret = run_simulation(&s, result, err);
	free_simulation_state(&s);
	if (ret) {
		reuseport_simulation__free(&result->simulation);
		return ret;
	}
	*simulation = &result->simulation;
	return 0;
}

static void free_change_result(void *change)
{
	item_list_clear(&((struct change_result *)change)->shares, NULL);
}

void reuseport_simulation__free(struct reuseport_simulation *simulation)
{
	struct simulation_result *result = (struct simulation_result *)simulation;

	if (!result)
		return;
	item_list_clear(&result->changes, free_change_result);
	item_list_clear(&result->shares, NULL);
	free(result);
}
