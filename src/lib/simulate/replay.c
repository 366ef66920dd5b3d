// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* Course: which worker each of many packets goes to, by one policy. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "decide/chain.h"
#include "decide/least_queue.h"
#include "error.h"
#include "policy/packet_tuple.h"
#include "policy/table_compile.h"
#include "reuseport_simulate.h"
#include "simulate/random_stream.h"
#include "simulate/replay.h"

/* ------------------------------------------------------------------ hashing */

/* A plan that does nothing but hash the tuple, with a key of the seed's. */
static struct plan made_up(uint64_t seed, enum dice_stream stream)
{
	return (struct plan){
		.key = KEY_TUPLE,
		.hash_key = { dice(seed, stream, 0), dice(seed, stream, 1) },
	};
}

/*
 * The kernel's hash has a secret; another one of the tuple, as evenly spread,
 * stands in. Likewise for the one by which a network card chooses the CPU (RSS).
 */
int course_prepare(struct course *course, const struct reuseport_tuple *tuples, size_t n,
		   struct reuseport_error *err)
{
	struct plan kernel = made_up(course->seed, DICE_KERNEL);
	struct plan receive = made_up(course->seed, DICE_RECEIVE);
	const struct plan *plan = course->plan.flags & PLAN_OWN_HASH ? &course->plan : &kernel;

	course->n = n;
	course->hashes = malloc(n * sizeof(*course->hashes));
	course->arrivals = malloc(n * sizeof(*course->arrivals));
	if (!course->hashes || !course->arrivals) {
		course_free(course);
		return fail(err, ENOMEM, "out of memory");
	}
	for (size_t i = 0; i < n; i++) {
		struct tuple t = packet_tuple(&tuples[i]);

		course->hashes[i] = course->plan.policy == POLICY_RANDOM ?
					    dice(course->seed, DICE_CHANCE, i) >> 32 :
					    key_hash(plan, &t);
		course->arrivals[i] = decide_hash(key_hash(&receive, &t), course->machine.cpus);
	}
	return 0;
}

void course_free(struct course *course)
{
	free(course->hashes);
	free(course->arrivals);
	course->hashes = NULL;
	course->arrivals = NULL;
}

/* ----------------------------------------------------------- what is decided by */

/* One run: the course, who is there, and the table for them. */
struct run {
	const struct course *course;
	const struct crowd *crowd;
	uint16_t *entries;
	uint16_t *owners; /* what comes out */
};

/* Without a table: a member of the kernel's group, in its order. */
static void by_group(const struct run *run)
{
	const struct course *c = run->course;
	bool linux39 = c->plan.policy == POLICY_LINUX39;
	uint32_t n = run->crowd->n;

	for (size_t i = 0; i < c->n; i++)
		run->owners[i] = run->crowd->members[linux39 ? decide_linux39(c->hashes[i], n) :
							       decide_hash(c->hashes[i], n)];
}

static int by_table(const struct run *run)
{
	const struct course *c = run->course;
	struct circumstances at = { .rows = c->machine.cpus };
	uint64_t *packets = calloc(c->machine.cpus, sizeof(*packets)); /* by CPU */

	if (!packets)
		return -ENOMEM;
	for (size_t i = 0; i < c->n; i++) {
		uint32_t cpu = c->arrivals[i];

		at.row = cpu;
		if (c->plan.policy == POLICY_ROUND_ROBIN) {
			at.turn = chain_turn(packets[cpu]++, cpu, c->plan.width);
		} else if (c->plan.policy == POLICY_NUMA) {
			at.row = c->machine.node_of[cpu];
			at.rows = c->machine.nodes;
		}
		run->owners[i] = run->entries[chain_index(&c->plan, c->hashes[i], &at, 0)];
	}
	free(packets);
	return 0;
}

static uint16_t shortest_queue(const struct run *run, const uint32_t *queues, uint32_t hash)
{
	uint32_t n = run->course->plan.width, looks = least_queue_looks(n);
	uint64_t best = LEAST_QUEUE_NONE;

	for (uint32_t i = 0; i < looks; i++) {
		uint16_t slot = run->entries[least_queue_index(hash, n, i)];
		uint64_t one;

		if (slot == TABLE_NO_WORKER)
			continue;
		one = least_queue_rank(queues[slot], hash, slot);
		if (one < best)
			best = one;
	}
	return least_queue_slot(best);
}

/* All serve at the same pace: one each while as many come as there are workers. */
static int by_queue(const struct run *run)
{
	const struct course *c = run->course;
	uint32_t *queues = calloc(run->crowd->slots, sizeof(*queues));

	if (!queues)
		return -ENOMEM;
	for (size_t i = 0; i < c->n; i++) {
		uint16_t slot = shortest_queue(run, queues, c->hashes[i]);

		run->owners[i] = slot;
		if (slot == TABLE_NO_WORKER)
			continue;
		queues[slot]++;
		for (uint32_t j = 0; (i + 1) % c->plan.width == 0 && j < c->plan.width; j++)
			if (queues[run->entries[j]])
				queues[run->entries[j]]--;
	}
	free(queues);
	return 0;
}

/* ------------------------------------------------------------------ the table */

/* Where a worker runs: by the map, by its process, or one a CPU, by slot. */
static int place_worker(const struct course *course, const struct crowd *crowd, unsigned int slot,
			struct cpus *cpus, struct reuseport_error *err)
{
	int ret = 0;

	if (course->given) {
		for (unsigned int cpu = 0; cpu < course->machine.cpus; cpu++)
			if (course->given[cpu].given && course->given[cpu].slot == slot)
				cpus_add(cpus, cpu);
	} else if (crowd->pids[slot]) {
		ret = cpus_of_process(crowd->pids[slot], cpus);
		if (ret)
			return fail(err, ESRCH,
				    "process %u of the worker in slot %u is gone: try "
				    "again",
				    crowd->pids[slot], slot);
	} else {
		cpus_add(cpus, slot % course->machine.cpus);
	}
	return ret;
}

static int place_workers(const struct course *course, const struct crowd *crowd, struct cpus **cpus,
			 struct reuseport_error *err)
{
	struct cpus *all;
	int ret = 0;

	if (!chain_by_place(course->plan.policy))
		return 0;
	all = calloc(crowd->slots, sizeof(*all));
	if (!all)
		return fail(err, ENOMEM, "out of memory");
	for (unsigned int slot = 0; !ret && slot < crowd->slots; slot++)
		if (crowd->weights[slot])
			ret = place_worker(course, crowd, slot, &all[slot], err);
	if (ret)
		free(all);
	else
		*cpus = all;
	return ret;
}

static int make_table(struct course *course, const struct crowd *crowd, uint16_t *entries,
		      struct reuseport_error *err)
{
	struct table_spec c = {
		.plan = course->plan,
		.room = course->room,
		.slots = crowd->slots,
		.weights = crowd->weights,
		.restricted = crowd_restricted(crowd),
		.cpu_count = course->machine.cpus,
		.node_count = course->machine.nodes,
		.nodes = course->machine.of_node,
	};
	struct cpus *cpus = NULL;
	uint32_t width;
	int ret;

	if (table_compile_rows(&c.plan, c.cpu_count, c.node_count) >= course->room)
		return fail(err, ENOSPC, "%u table entries are too few for policy %s on %u CPUs",
			    course->room, policy_name(course->plan.policy), course->machine.cpus);
	ret = place_workers(course, crowd, &cpus, err);
	if (ret)
		return ret;
	c.cpus = cpus;
	ret = table_compile(&c, entries, &width);
	free(cpus);
	if (ret)
		return fail(err, -ret, "cannot compile the table: %s", strerror(-ret));
	course->plan.width = width;
	return 0;
}

int course_run(struct course *course, const struct crowd *crowd, uint16_t *owners,
	       struct reuseport_error *err)
{
	struct run run = { .course = course,
			   .crowd = crowd,
			   .owners = owners,
			   .entries = malloc(course->room * sizeof(*run.entries)) };
	int ret;

	if (!run.entries)
		return fail(err, ENOMEM, "out of memory");
	ret = make_table(course, crowd, run.entries, err);
	if (ret) {
		free(run.entries);
		return ret;
	}
	if (!course->plan.width)
		by_group(&run);
	else if (course->plan.policy == POLICY_LEAST_QUEUE)
		ret = by_queue(&run);
	else
		ret = by_table(&run);
	free(run.entries);
	return ret ? fail(err, -ret, "out of memory") : 0;
}
