// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* Simulate: who gets how much by a policy, and what a change would move. */
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

/* What one simulation works with. */
struct simulation {
	struct reuseport_simulation_opts opts;
	struct policy_choice choice;
	struct course course;
	struct crowd crowd;
	uint16_t *before, *after; /* owners of the packets */
};

/* ---------------------------------------------------------------- what is asked */

static int check_opts(const struct reuseport_simulation_opts *opts, struct reuseport_error *err)
{
	if (!opts->n_workers)
		return fail(err, EINVAL, "no worker: who should get the packets?");
	if (!opts->n_tuples)
		return fail(err, EINVAL, "no packet: whose worker should be told?");
	if (opts->n_workers >= REUSEPORT_SLOTS_MAX || opts->slots > REUSEPORT_SLOTS_MAX)
		return fail(err, EINVAL, "a simulation has up to %u workers and %u slots",
			    REUSEPORT_SLOTS_MAX - 1, REUSEPORT_SLOTS_MAX);
	if (opts->table_entries && !limits_table_valid(opts->table_entries))
		return fail(err, EINVAL, "%u table entries: it must be a power of two, %u to %u",
			    opts->table_entries, REUSEPORT_TABLE_MIN, REUSEPORT_TABLE_MAX);
	for (size_t i = 0; i < opts->n_changes; i++)
		if (opts->changes[i].kind < REUSEPORT_JOIN ||
		    opts->changes[i].kind > REUSEPORT_WEIGHT)
			return fail(err, EINVAL, "a change is a join, a leave or a weight");
	for (size_t i = 0; i < opts->n_tuples; i++)
		if (opts->tuples[i].family != AF_INET && opts->tuples[i].family != AF_INET6)
			return fail(err, EINVAL, "packet %zu is neither IPv4 nor IPv6", i);
	return 0;
}

/* A hash key that nobody gave is the seed's, so that a run can be repeated. */
static int choose_policy(struct simulation *s, struct reuseport_error *err)
{
	struct reuseport_policy_opts words = { .sz = sizeof(words) };
	struct plan seeded = {
		.policy = POLICY_HASH,
		.hash_key = { dice(s->opts.seed, DICE_HASH_KEY, 0),
			      dice(s->opts.seed, DICE_HASH_KEY, 1) | 1 },
	};
	int ret = opts_copy(&words, s->opts.rules, err);

	return ret ? ret : policy_choose(&words, &seeded, &s->choice, err);
}

static int read_given(struct simulation *s, unsigned int slots, struct reuseport_error *err)
{
	struct course *course = &s->course;

	if (!s->choice.cpu_map)
		return 0;
	course->given = calloc(course->machine.cpus, sizeof(*course->given));
	if (!course->given)
		return fail(err, ENOMEM, "out of memory");
	return policy_read_map(s->choice.cpu_map, course->given, course->machine.cpus, slots, err);
}

static int prepare(struct simulation *s, struct reuseport_error *err)
{
	const struct reuseport_simulation_opts *opts = &s->opts;
	unsigned int slots = opts->slots ? opts->slots : limits_slots_for(opts->n_workers);
	int ret = choose_policy(s, err);

	s->course.plan = s->choice.plan;
	s->course.seed = opts->seed;
	s->course.room = opts->table_entries ? opts->table_entries :
					       limits_table_for(opts->n_workers);
	if (!ret)
		ret = machine_make(&s->course.machine, opts->cpus, opts->nodes, err);
	if (!ret)
		ret = read_given(s, slots, err);
	if (!ret)
		ret = crowd_make(&s->crowd, slots, opts->workers, opts->n_workers, err);
	if (!ret)
		ret = course_prepare(&s->course, opts->tuples, opts->n_tuples, err);
	if (ret)
		return ret;
	s->before = malloc(opts->n_tuples * sizeof(*s->before));
	s->after = malloc(opts->n_tuples * sizeof(*s->after));
	return s->before && s->after ? 0 : fail(err, ENOMEM, "out of memory");
}

static void clean_up(struct simulation *s)
{
	course_free(&s->course);
	free(s->course.given);
	machine_free(&s->course.machine);
	crowd_free(&s->crowd);
	free(s->before);
	free(s->after);
}

/* ----------------------------------------------------------------- what comes out */

static unsigned int notes_of(const struct simulation *s)
{
	const struct plan *plan = &s->course.plan;
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
		if (shares_differ(&s->crowd))
			notes |= REUSEPORT_NOTE_EQUAL;
	return notes;
}

static int one_change(struct simulation *s, const struct reuseport_change *asked, bool keeps_keys,
		      struct reuseport_simulated_change *out, struct reuseport_error *err)
{
	struct crowd crowd;
	int ret = crowd_copy(&crowd, &s->crowd, err);

	if (ret)
		return ret;
	out->change = *asked;
	ret = crowd_change(&crowd, &out->change, err);
	if (!ret)
		ret = course_run(&s->course, &crowd, s->after, err);
	if (!ret)
		ret = shares_count(&crowd, s->after, s->course.n, &out->shares, &out->nobody, err);
	if (!ret) {
		out->n_shares = crowd.n;
		if (keeps_keys)
			ret = shares_compare(s->before, s->after, s->course.n, crowd.slots, out,
					     err);
	}
	crowd_free(&crowd);
	return ret;
}

static int examine(struct simulation *s, struct reuseport_simulation *out,
		   struct reuseport_error *err)
{
	int ret = course_run(&s->course, &s->crowd, s->before, err);

	if (!ret)
		ret = shares_count(&s->crowd, s->before, s->course.n, &out->shares, &out->nobody,
				   err);
	if (ret)
		return ret;
	out->n_shares = s->crowd.n;
	out->packets = s->course.n;
	out->slots = s->crowd.slots;
	policy_info_of_plan(&out->rules, &s->course.plan);
	out->rules.table_entries = s->course.room;
	out->notes = notes_of(s);
	out->exact = !(out->notes & ~(REUSEPORT_NOTE_ORDER | REUSEPORT_NOTE_EQUAL));
	out->keeps_keys = !(out->notes & REUSEPORT_NOTE_NO_KEYS);
	shares_summarize(out);
	out->changes = calloc(s->opts.n_changes + 1, sizeof(*out->changes));
	if (!out->changes)
		return fail(err, ENOMEM, "out of memory");
	for (; !ret && out->n_changes < s->opts.n_changes; out->n_changes++)
		ret = one_change(s, &s->opts.changes[out->n_changes], out->keeps_keys,
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
		ret = check_opts(&s.opts, err);
	if (ret)
		return ret;
	out = calloc(1, sizeof(*out));
	if (!out)
		return fail(err, ENOMEM, "out of memory");
	ret = prepare(&s, err);
	if (!ret)
		ret = examine(&s, out, err);
	clean_up(&s);
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
		return "the kernel's hash is secret, another one stands in: as many go there, "
		       "not the same ones";
	case REUSEPORT_NOTE_KEY:
		return "no hash key is given, one is made up: by another one as many go there, "
		       "not the same ones";
	case REUSEPORT_NOTE_CHANCE:
		return "by chance: as many go there, not the same ones";
	case REUSEPORT_NOTE_QUEUES:
		return "the workers are taken to serve at the same pace: each one packet while as "
		       "many come as there are workers";
	case REUSEPORT_NOTE_RECEIVE:
		return "packets are spread over the CPUs by a hash, as network cards do (RSS)";
	case REUSEPORT_NOTE_PLACES:
		return "the worker in slot S is taken to run on CPU S modulo CPUs";
	case REUSEPORT_NOTE_NO_KEYS:
		return "no key stays with a worker: what a change moves is not told";
	case REUSEPORT_NOTE_ORDER:
		return "the kernel's order of the group is taken to be that of the slots; at a "
		       "leave its last member moves into the hole";
	case REUSEPORT_NOTE_EQUAL:
		return "weights other than 0 are all the same to this policy";
	default:
		return "";
	}
}
