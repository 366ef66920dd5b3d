// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* Replay: find the worker of each of many packets, by one policy. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "decide/chain.h"
#include "decide/least_queue.h"
#include "error.h"
#include "policy/packet_tuple.h"
#include "policy/table_compile.h"
#include "simulate/random_stream.h"
#include "simulate/replay.h"
#include "simulate/tuple_list.h"

/* ------------------------------------------------------------------ hashing */

/* Return a plan that only hashes the tuple, with a key made of the seed. */
static struct plan stand_in_plan(uint64_t seed, enum random_stream stream)
{
	return (struct plan){
		.key = KEY_TUPLE,
		.hash_key = { random_number(seed, stream, 0), random_number(seed, stream, 1) },
	};
}

/*
 * The kernel's hash has a secret key, so another evenly spread hash of the tuple stands
 * in for it, and for the hash by which a network card chooses the CPU (RSS).
 */
int replay_prepare(struct replay *replay, const struct reuseport_tuple_list *packets,
		   struct reuseport_error *err)
{
	struct plan kernel = stand_in_plan(replay->seed, STREAM_KERNEL_KEY);
	struct plan receive = stand_in_plan(replay->seed, STREAM_RECEIVE);
	const struct plan *plan = replay->plan.flags & PLAN_OWN_HASH ? &replay->plan : &kernel;

	replay->n = packets->n;
	replay->hashes = malloc(replay->n * sizeof(*replay->hashes));
	replay->arrivals = malloc(replay->n * sizeof(*replay->arrivals));
	if (!replay->hashes || !replay->arrivals) {
		replay_free(replay);
		return fail(err, ENOMEM, "out of memory");
	}
	for (size_t i = 0; i < replay->n; i++) {
		struct tuple t = packet_tuple(tuple_list_at(packets, i));

		replay->hashes[i] = replay->plan.policy == POLICY_RANDOM ?
					    random_number(replay->seed, STREAM_POLICY, i) >> 32 :
					    key_hash(plan, &t);
		replay->arrivals[i] = decide_hash(key_hash(&receive, &t), replay->layout.cpus);
	}
	return 0;
}

void replay_free(struct replay *replay)
{
	free(replay->hashes);
	free(replay->arrivals);
	replay->hashes = NULL;
	replay->arrivals = NULL;
}

/* ------------------------------------------------------------------- decisions */

/* One pass: the packets, the workers, and the table for them. */
struct pass {
	const struct replay *replay;
	const struct workers *workers;
	uint16_t *entries;
	uint16_t *owners; /* the result, by packet */
};

/* Decide without a table: pick a member of the kernel's group, in its order. */
static void replay_by_group(const struct pass *pass)
{
	const struct replay *c = pass->replay;
	bool linux39 = c->plan.policy == POLICY_LINUX39;
	uint32_t n = pass->workers->n;

	for (size_t i = 0; i < c->n; i++)
		pass->owners[i] = pass->workers->members[linux39 ? decide_linux39(c->hashes[i], n) :
								   decide_hash(c->hashes[i], n)];
}

static int replay_by_table(const struct pass *pass)
{
	const struct replay *c = pass->replay;
	struct circumstances at = { .rows = c->layout.cpus };
	uint64_t *packets = calloc(c->layout.cpus, sizeof(*packets)); /* by CPU */

	if (!packets)
		return -ENOMEM;
	for (size_t i = 0; i < c->n; i++) {
		uint32_t cpu = c->arrivals[i];

		at.row = cpu;
		if (c->plan.policy == POLICY_ROUND_ROBIN) {
			at.turn = chain_turn(packets[cpu]++, cpu, c->plan.width);
		} else if (c->plan.policy == POLICY_NUMA) {
			at.row = c->layout.node_of[cpu];
			at.rows = c->layout.nodes;
		}
		pass->owners[i] = pass->entries[chain_index(&c->plan, c->hashes[i], &at, 0)];
	}
	free(packets);
	return 0;
}

static uint16_t slot_of_shortest_queue(const struct pass *pass, const uint32_t *queues,
				       uint32_t hash)
{
	uint32_t n = pass->replay->plan.width, looks = least_queue_looks(n);
	uint64_t best = LEAST_QUEUE_NONE;

	for (uint32_t i = 0; i < looks; i++) {
		uint16_t slot = pass->entries[least_queue_index(hash, n, i)];
		uint64_t one;

		if (slot == TABLE_NO_WORKER)
			continue;
		one = least_queue_rank(queues[slot], hash, slot);
		if (one < best)
			best = one;
	}
	return least_queue_slot(best);
}

/* Decide by the shortest queue. All workers serve at the same rate: one packet each
 * while as many packets arrive as there are workers. */
static int replay_by_queue(const struct pass *pass)
{
	const struct replay *c = pass->replay;
	uint32_t *queues = calloc(pass->workers->slots, sizeof(*queues));

	if (!queues)
		return -ENOMEM;
	for (size_t i = 0; i < c->n; i++) {
		uint16_t slot = slot_of_shortest_queue(pass, queues, c->hashes[i]);

		pass->owners[i] = slot;
		if (slot == TABLE_NO_WORKER)
			continue;
		queues[slot]++;
		for (uint32_t j = 0; (i + 1) % c->plan.width == 0 && j < c->plan.width; j++)
			if (queues[pass->entries[j]])
				queues[pass->entries[j]]--;
	}
	free(queues);
	return 0;
}

/* ------------------------------------------------------------------ the table */

/* Find the CPUs of a worker: by the map, else by its process, else one CPU by slot. */
static int place_worker(const struct replay *replay, const struct workers *workers,
			unsigned int slot, struct cpus *cpus, struct reuseport_error *err)
{
	int ret = 0;

	if (replay->given) {
		for (unsigned int cpu = 0; cpu < replay->layout.cpus; cpu++)
			if (replay->given[cpu].given && replay->given[cpu].slot == slot)
				cpus_add(cpus, cpu);
	} else if (workers->pids[slot]) {
		ret = cpus_of_process(workers->pids[slot], cpus);
		if (ret)
			return fail(err, ESRCH,
				    "process %u of the worker in slot %u has exited: try "
				    "again",
				    workers->pids[slot], slot);
	} else {
		cpus_add(cpus, slot % replay->layout.cpus);
	}
	return ret;
}

static int place_workers(const struct replay *replay, const struct workers *workers,
			 struct cpus **cpus, struct reuseport_error *err)
{
	struct cpus *all;
	int ret = 0;

	if (!chain_by_place(replay->plan.policy))
		return 0;
	all = calloc(workers->slots, sizeof(*all));
	if (!all)
		return fail(err, ENOMEM, "out of memory");
	for (unsigned int slot = 0; !ret && slot < workers->slots; slot++)
		if (workers->weights[slot])
			ret = place_worker(replay, workers, slot, &all[slot], err);
	if (ret)
		free(all);
	else
		*cpus = all;
	return ret;
}

static int make_table(struct replay *replay, const struct workers *workers, uint16_t *entries,
		      struct reuseport_error *err)
{
	struct table_spec c = {
		.plan = replay->plan,
		.room = replay->room,
		.slots = workers->slots,
		.weights = workers->weights,
		.restricted = workers_restricted(workers),
		.cpu_count = replay->layout.cpus,
		.node_count = replay->layout.nodes,
		.nodes = replay->layout.of_node,
	};
	struct cpus *cpus = NULL;
	uint32_t width;
	int ret;

	if (table_compile_rows(&c.plan, c.cpu_count, c.node_count) >= replay->room)
		return fail(err, ENOSPC, "%u table entries are too few for policy %s on %u CPUs",
			    replay->room, policy_name(replay->plan.policy), replay->layout.cpus);
	ret = place_workers(replay, workers, &cpus, err);
	if (ret)
		return ret;
	c.cpus = cpus;
	ret = table_compile(&c, entries, &width);
	free(cpus);
	if (ret)
		return fail(err, -ret, "cannot compile the table: %s", strerror(-ret));
	replay->plan.width = width;
	return 0;
}

int replay_run(struct replay *replay, const struct workers *workers, uint16_t *owners,
	       struct reuseport_error *err)
{
	struct pass pass = { .replay = replay,
			     .workers = workers,
			     .owners = owners,
			     .entries = malloc(replay->room * sizeof(*pass.entries)) };
	int ret;

	if (!pass.entries)
		return fail(err, ENOMEM, "out of memory");
	ret = make_table(replay, workers, pass.entries, err);
	if (ret) {
		free(pass.entries);
		return ret;
	}
	if (!replay->plan.width)
		replay_by_group(&pass);
	else if (replay->plan.policy == POLICY_LEAST_QUEUE)
		ret = replay_by_queue(&pass);
	else
		ret = replay_by_table(&pass);
	free(pass.entries);
	return ret ? fail(err, -ret, "out of memory") : 0;
}
