// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* reuseport_simulate(): each worker's share by a policy, and what a change would move. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "decide/chain.h"
#include "error.h"
#include "opts.h"
#include "policy/limits.h"
#include "policy/policy_info.h"
#include "reuseport_simulate.h"
#include "simulate/random_stream.h"
#include "simulate/replay.h"
#include "simulate/shares.h"

/* The state of one simulation. */
struct simulation {
	struct reuseport_simulation_opts opts;
	struct policy_choice choice;
	struct replay replay;
	struct workers workers;
	uint16_t *before, *after; /* owners of the packets */
};

/* ----------------------------------------------------------------------- input */

static int check_simulation_opts(const struct reuseport_simulation_opts *opts,
				 struct reuseport_error *err)
{
	if (!opts->n_workers)
		return fail(err, EINVAL, "a simulation needs one worker or more");
	if (!opts->n_tuples)
		return fail(err, EINVAL, "a simulation needs one packet or more");
	if (opts->n_workers >= REUSEPORT_SLOTS_MAX || opts->slots > REUSEPORT_SLOTS_MAX)
		return fail(err, EINVAL, "a simulation has up to %u workers and %u slots",
			    REUSEPORT_SLOTS_MAX - 1, REUSEPORT_SLOTS_MAX);
	if (opts->table_entries && !limits_table_valid(opts->table_entries))
		return fail(err, EINVAL,
			    "%u table entries: the number must be a power of two, %u to %u",
			    opts->table_entries, REUSEPORT_TABLE_MIN, REUSEPORT_TABLE_MAX);
	for (size_t i = 0; i < opts->n_changes; i++)
		if (opts->changes[i].kind < REUSEPORT_JOIN ||
		    opts->changes[i].kind > REUSEPORT_WEIGHT)
			return fail(err, EINVAL, "a change must be a join, a leave or a weight");
	for (size_t i = 0; i < opts->n_tuples; i++)
		if (opts->tuples[i].family != AF_INET && opts->tuples[i].family != AF_INET6)
			return fail(err, EINVAL, "packet %zu is neither IPv4 nor IPv6", i);
	return 0;
}

/* Choose the policy. The default hash key is made of the seed, so that a run can be
 * repeated. */
static int choose_policy(struct simulation *s, struct reuseport_error *err)
{
	struct reuseport_policy_opts words = { .sz = sizeof(words) };
	struct plan seeded = {
		.policy = POLICY_HASH,
		.hash_key = { random_number(s->opts.seed, STREAM_HASH_KEY, 0),
			      random_number(s->opts.seed, STREAM_HASH_KEY, 1) | 1 },
	};
	int ret = opts_copy(&words, s->opts.rules, err);

	return ret ? ret : policy_choose(&words, &seeded, &s->choice, err);
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
	int ret = choose_policy(s, err);

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
		ret = replay_prepare(&s->replay, opts->tuples, opts->n_tuples, err);
	if (ret)
		return ret;
	s->before = malloc(opts->n_tuples * sizeof(*s->before));
	s->after = malloc(opts->n_tuples * sizeof(*s->after));
	return s->before && s->after ? 0 : fail(err, ENOMEM, "out of memory");
}

static void free_simulation_state(struct simulation *s)
{
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
	bool turns = plan->policy == POLICY_ROUND_ROBIN, chance = plan->policy == POLICY_RANDOM;
	bool queues = plan->policy == POLICY_LEAST_QUEUE, own = plan->flags & PLAN_OWN_HASH;
	bool given = s->opts.rules && s->opts.rules->hash_key;
	unsigned int notes = 0;

	if (!own && !turns && !chance)
		notes |= REUSEPORT_NOTE_STAND_IN;
	if (own && !given)
		notes |= REUSEPORT_NOTE_KEY;
	if (chance)
		notes |= REUSEPORT_NOTE_CHANCE;
	if (queues)
		notes |= REUSEPORT_NOTE_QUEUES;
	if (places || turns)
		notes |= REUSEPORT_NOTE_RECEIVE;
	if (places && !s->choice.cpu_map && !s->opts.workers[0].pid)
		notes |= REUSEPORT_NOTE_PLACES;
	if (queues || turns || chance)
		notes |= REUSEPORT_NOTE_NO_KEYS;
	if (!plan->width)
		notes |= REUSEPORT_NOTE_ORDER;
	if (plan->policy == POLICY_HASH || plan->policy == POLICY_LINUX39 || queues)
		if (shares_differ(&s->workers))
			notes |= REUSEPORT_NOTE_EQUAL;
	return notes;
}

static int simulate_change(struct simulation *s, const struct reuseport_change *asked,
			   bool keeps_keys, struct reuseport_simulated_change *out,
			   struct reuseport_error *err)
{
	struct workers workers;
	int ret = workers_copy(&workers, &s->workers, err);

	if (ret)
		return ret;
	out->change = *asked;
	ret = workers_change(&workers, &out->change, err);
	if (!ret)
		ret = replay_run(&s->replay, &workers, s->after, err);
	if (!ret)
		ret = shares_count(&workers, s->after, s->replay.n, &out->shares, &out->nobody,
				   err);
	if (!ret) {
		out->n_shares = workers.n;
		if (keeps_keys)
			ret = shares_compare(s->before, s->after, s->replay.n, workers.slots, out,
					     err);
	}
	workers_free(&workers);
	return ret;
}

static int run_simulation(struct simulation *s, struct reuseport_simulation *out,
			  struct reuseport_error *err)
{
	int ret = replay_run(&s->replay, &s->workers, s->before, err);

	if (!ret)
		ret = shares_count(&s->workers, s->before, s->replay.n, &out->shares, &out->nobody,
				   err);
	if (ret)
		return ret;
	out->n_shares = s->workers.n;
	out->packets = s->replay.n;
	out->slots = s->workers.slots;
	policy_info_of_plan(&out->rules, &s->replay.plan);
	out->rules.table_entries = s->replay.room;
	out->notes = simulation_notes(s);
	out->exact = !(out->notes & ~(REUSEPORT_NOTE_ORDER | REUSEPORT_NOTE_EQUAL));
	out->keeps_keys = !(out->notes & REUSEPORT_NOTE_NO_KEYS);
	shares_summarize(out);
	out->changes = calloc(s->opts.n_changes + 1, sizeof(*out->changes));
	if (!out->changes)
		return fail(err, ENOMEM, "out of memory");
	for (; !ret && out->n_changes < s->opts.n_changes; out->n_changes++)
		ret = simulate_change(s, &s->opts.changes[out->n_changes], out->keeps_keys,
				      &out->changes[out->n_changes], err);
	return ret;
}

/* -------------------------------------------------------------------- public */

int reuseport_simulate(const struct reuseport_simulation_opts *from,
		       struct reuseport_simulation **simulation, struct reuseport_error *err)
{
	struct simulation s = { .opts = { .sz = sizeof(s.opts) } };
	struct reuseport_simulation *out;
	int ret = opts_copy(&s.opts, from, err);

	if (!ret)
		ret = check_simulation_opts(&s.opts, err);
	if (ret)
		return ret;
	out = calloc(1, sizeof(*out));
	if (!out)
		return fail(err, ENOMEM, "out of memory");
	ret = prepare_simulation(&s, err);
	if (!ret)
		ret = run_simulation(&s, out, err);
	free_simulation_state(&s);
	if (ret) {
		reuseport_simulation__free(out);
		return ret;
	}
	*simulation = out;
	return 0;
}

void reuseport_simulation__free(struct reuseport_simulation *simulation)
{
	if (!simulation)
		return;
	for (size_t i = 0; i < simulation->n_changes; i++)
		free(simulation->changes[i].shares);
	free(simulation->changes);
	free(simulation->shares);
	free(simulation);
}

const char *reuseport_simulation_note(unsigned int note)
{
	switch (note) {
	case REUSEPORT_NOTE_STAND_IN:
		return "the kernel's hash is secret, and another one stands in: the shares have the "
		       "right size, but not the same packets";
	case REUSEPORT_NOTE_KEY:
		return "no hash key is given, so a random one is used: by another key the shares have "
		       "the same size, but not the same packets";
	case REUSEPORT_NOTE_CHANCE:
		return "the policy is random: the shares have the right size, but not the same packets";
	case REUSEPORT_NOTE_QUEUES:
		return "all workers are assumed to serve at the same rate: one packet each while as "
		       "many arrive as there are workers";
	case REUSEPORT_NOTE_RECEIVE:
		return "packets are spread over the CPUs by a hash, as network cards do (RSS)";
	case REUSEPORT_NOTE_PLACES:
		return "the worker in slot S is assumed to run on CPU S modulo the number of CPUs";
	case REUSEPORT_NOTE_NO_KEYS:
		return "no key stays with a worker, so the effect of a change is not shown";
	case REUSEPORT_NOTE_ORDER:
		return "the kernel's group is assumed to be in the order of the slots; when a worker "
		       "leaves, the last member takes its place";
	case REUSEPORT_NOTE_EQUAL:
		return "this policy treats all weights other than 0 as equal";
	default:
		return "";
	}
}
