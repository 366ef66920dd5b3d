/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* Replay, workers, CPU layout: which packet goes to which worker of a simulation, against
 * the definition of each policy, worked out packet by packet. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
/* After those four, which it needs. */
#include <cmocka.h>

#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#include "simulate/random_stream.h"
#include "simulate/replay.h"
#include "simulate/tuple_list.h"
#include "siphash_bytes.h"

#define N 5000
#define SLOTS 16
#define ROOM 4096
#define SEED 9

static struct reuseport_tuple_list *packets;
static uint16_t owners[N];

static int make_packets(void **state)
{
	(void)state;
	if (reuseport_tuple_list__new(&packets, NULL) ||
	    reuseport_tuple_list__generate(packets, N, 0, 4, NULL))
		return -1;
	/* Some of IPv6. */
	for (size_t i = 0; i < N; i += 3) {
		struct reuseport_tuple *tuple = tuple_list_at(packets, i);

		tuple->family = AF_INET6;
		tuple->src[7] = tuple->src[1];
		tuple->dst[15] = 1;
	}
	return 0;
}

static int free_packets(void **state)
{
	(void)state;
	reuseport_tuple_list__free(packets);
	return 0;
}

/* SipHash of a packet's addresses and ports, byte by byte, by two numbers of a stream. */
static uint32_t hash_of(const struct reuseport_tuple *tuple, enum random_stream stream)
{
	uint64_t key[2] = { random_number(SEED, stream, 0), random_number(SEED, stream, 1) };
	size_t size = tuple->family == AF_INET6 ? 16 : 4;
	unsigned char message[36];

	memcpy(message, tuple->src, size);
	memcpy(message + size, tuple->dst, size);
	message[2 * size] = tuple->src_port >> 8;
	message[2 * size + 1] = tuple->src_port & 0xff;
	message[2 * size + 2] = tuple->dst_port >> 8;
	message[2 * size + 3] = tuple->dst_port & 0xff;
	return siphash_bytes(key, message, 2 * size + 4) >> 32;
}

/* By a fraction of 2^32, as the kernel and network cards do. */
static uint32_t scale(uint32_t hash, uint32_t n)
{
	return (uint64_t)hash * n >> 32;
}

static struct replay prepared(enum steering_policy policy, unsigned int cpus, unsigned int nodes)
{
	struct replay replay = { .plan = { .policy = policy, .prefix4 = 32, .prefix6 = 128 },
				 .room = ROOM,
				 .seed = SEED };

	assert_int_equal(cpu_layout_make(&replay.layout, cpus, nodes, NULL), 0);
	assert_int_equal(replay_prepare(&replay, packets, NULL), 0);
	return replay;
}

static void finish(struct replay *replay, struct workers *workers)
{
	replay_free(replay);
	cpu_layout_free(&replay->layout);
	workers_free(workers);
}

/* One in each slot named, with its weight; the group has them in this order. */
static struct workers make(const unsigned int (*list)[2], size_t n)
{
	struct reuseport_simulated_worker each[SLOTS] = { 0 };
	struct workers workers;

	for (size_t i = 0; i < n; i++) {
		each[i].sz = sizeof(each[i]);
		each[i].slot = list[i][0];
		each[i].weight = list[i][1];
	}
	assert_int_equal(workers_make(&workers, SLOTS, each, n, NULL), 0);
	return workers;
}

static void run(struct replay *replay, const struct workers *workers)
{
	struct reuseport_error err = { 0 };

	memset(owners, 0xee, sizeof(owners));
	if (replay_run(replay, workers, owners, &err))
		fail_msg("%s", err.text);
}

/* --------------------------------------------------------------------- packets */

static void hashed_by_the_tuple(void **state)
{
	struct replay replay = prepared(POLICY_HASH, 6, 2);
	struct workers none = { 0 };

	(void)state;
	assert_int_equal(replay.n, N);
	for (size_t i = 0; i < N; i++) {
		const struct reuseport_tuple *tuple = reuseport_tuple_list__get(packets, i);

		assert_int_equal(replay.hashes[i], hash_of(tuple, STREAM_KERNEL_KEY));
		assert_int_equal(replay.arrivals[i], scale(hash_of(tuple, STREAM_RECEIVE), 6));
	}
	finish(&replay, &none);
}

/* -------------------------------------------------------------------- policies */

static const unsigned int four[][2] = { { 5, 1 }, { 0, 1 }, { 9, 1 }, { 2, 1 } };

static void hash_picks_in_the_order_of_the_group(void **state)
{
	struct replay replay = prepared(POLICY_HASH, 1, 1);
	struct workers workers = make(four, 4);
	struct reuseport_change leave = { .kind = REUSEPORT_LEAVE, .slot = 0 };
	struct reuseport_change join = { .kind = REUSEPORT_JOIN };
	/* The last one takes the place of one that left; who joins becomes the last. */
	static const uint16_t order[] = { 5, 0, 9, 2 }, left[] = { 5, 2, 9 };
	static const uint16_t joined[] = { 5, 2, 9, 0 };

	(void)state;
	run(&replay, &workers);
	assert_int_equal(replay.plan.width, 0);
	for (size_t i = 0; i < N; i++)
		assert_int_equal(owners[i], order[scale(replay.hashes[i], 4)]);
	assert_int_equal(workers_change(&workers, &leave, NULL), 0);
	run(&replay, &workers);
	for (size_t i = 0; i < N; i++)
		assert_int_equal(owners[i], left[scale(replay.hashes[i], 3)]);
	/* Into the lowest free slot, with weight 1. */
	assert_int_equal(workers_change(&workers, &join, NULL), 0);
	assert_int_equal(join.slot, 0);
	assert_int_equal(join.weight, 1);
	run(&replay, &workers);
	for (size_t i = 0; i < N; i++)
		assert_int_equal(owners[i], joined[scale(replay.hashes[i], 4)]);
	finish(&replay, &workers);
}

static void round_robin_takes_turns(void **state)
{
	static const unsigned int two[][2] = { { 1, 1 }, { 3, 2 } };
	struct replay replay = prepared(POLICY_ROUND_ROBIN, 1, 1);
	struct workers workers = make(two, 2);
	size_t turns_of_1 = 0;

	(void)state;
	run(&replay, &workers);
	/*
	 * A round of three packets has one turn of slot 1, and begins anywhere: so two packets in
	 * a row may have one each, any five have one, and all have a third.
	 */
	for (size_t i = 0; i + 5 <= N; i++) {
		size_t turns = 0;

		for (size_t j = i; j < i + 5; j++)
			turns += owners[j] == 1;
		assert_in_range(turns, 1, 3);
	}
	for (size_t i = 0; i < N; i++)
		turns_of_1 += owners[i] == 1;
	assert_in_range(turns_of_1, N / 3 - 1, N / 3 + 1);
	for (size_t i = 0; i < N; i++)
		assert_true(owners[i] == 1 || owners[i] == 3);
	finish(&replay, &workers);
}

static void cpu_goes_by_the_arrival(void **state)
{
	struct replay replay = prepared(POLICY_CPU, 4, 2);
	/* The worker in slot S is on CPU S modulo 4: those on 1, 2 and 3. */
	static const unsigned int three[][2] = { { 1, 1 }, { 2, 1 }, { 7, 1 } };
	struct workers workers = make(three, 3);

	(void)state;
	run(&replay, &workers);
	for (size_t i = 0; i < N; i++) {
		if (replay.arrivals[i] == 0) /* its node's other CPU */
			assert_int_equal(owners[i], 1);
		else
			assert_int_equal(owners[i] % 4, replay.arrivals[i]);
	}
	finish(&replay, &workers);
}

static void numa_goes_by_the_node(void **state)
{
	struct replay replay = prepared(POLICY_NUMA, 4, 2);
	static const unsigned int three[][2] = { { 0, 1 }, { 2, 1 }, { 3, 1 } };
	struct workers workers = make(three, 3);

	(void)state;
	run(&replay, &workers);
	for (size_t i = 0; i < N; i++) {
		uint32_t picked = scale(replay.hashes[i], 2);

		assert_int_equal(owners[i], replay.arrivals[i] < 2 ? 0u : 2 + picked);
	}
	finish(&replay, &workers);
}

/* As many packets as there are workers come while each serves one: all queues are as
 * long as their share, and no worker is ever two ahead of another. */
static void least_queue_is_even(void **state)
{
	struct replay replay = prepared(POLICY_LEAST_QUEUE, 1, 1);
	struct workers workers = make(four, 4);
	uint32_t got[SLOTS] = { 0 };

	(void)state;
	run(&replay, &workers);
	for (size_t i = 0; i < N; i++) {
		got[owners[i]]++;
		if ((i + 1) % 4)
			continue;
		for (int k = 0; k < 4; k++)
			assert_int_equal(got[four[k][0]], (i + 1) / 4);
	}
	finish(&replay, &workers);
}

static void without_weight_there_is_no_worker(void **state)
{
	static const unsigned int idle[][2] = { { 1, 0 }, { 2, 0 } };
	static const enum steering_policy policies[] = { POLICY_HASH, POLICY_WEIGHTED,
							 POLICY_LEAST_QUEUE, POLICY_ROUND_ROBIN };

	(void)state;
	for (size_t p = 0; p < sizeof(policies) / sizeof(policies[0]); p++) {
		struct replay replay = prepared(policies[p], 1, 1);
		struct workers workers = make(idle, 2);

		run(&replay, &workers);
		for (size_t i = 0; i < N; i++)
			assert_int_equal(owners[i], TABLE_NO_WORKER);
		finish(&replay, &workers);
	}
}

static void what_cannot_be_replayed(void **state)
{
	struct replay replay = prepared(POLICY_CPU, 8, 1);
	REUSEPORT_OPTS(reuseport_simulated_worker, gone, .slot = 3, .weight = 1, .pid = 4194305);
	struct reuseport_error err = { 0 };
	struct workers workers;

	(void)state;
	assert_int_equal(workers_make(&workers, SLOTS, &gone, 1, NULL), 0);
	assert_int_equal(replay_run(&replay, &workers, owners, &err), -ESRCH);
	assert_non_null(strstr(err.text, "4194305"));
	/* Eight rows and the one of all workers do not fit. */
	replay.room = 8;
	assert_int_equal(replay_run(&replay, &workers, owners, &err), -ENOSPC);
	finish(&replay, &workers);
}

/* --------------------------------------------------------------------- workers */

static void a_copy_is_of_its_own(void **state)
{
	struct reuseport_change heavier = { .kind = REUSEPORT_WEIGHT, .slot = 9, .weight = 7 };
	struct reuseport_change leave = { .kind = REUSEPORT_LEAVE, .slot = 5 };
	struct workers workers = make(four, 4), copy;

	(void)state;
	assert_int_equal(workers_copy(&copy, &workers, NULL), 0);
	assert_int_equal(workers_change(&copy, &heavier, NULL), 0);
	assert_int_equal(workers_change(&copy, &leave, NULL), 0);
	assert_int_equal(leave.weight, 0);
	assert_int_equal(copy.weights[9], 7);
	assert_int_equal(copy.n, 3);
	assert_int_equal(workers.weights[9], 1);
	assert_int_equal(workers.n, 4);
	assert_true(workers.present[5]);
	workers_free(&workers);
	workers_free(&copy);
}

static void restricted_by_a_weight_of_0(void **state)
{
	struct reuseport_change idle = { .kind = REUSEPORT_WEIGHT, .slot = 2, .weight = 0 };
	struct reuseport_change leave = { .kind = REUSEPORT_LEAVE, .slot = 2 };
	struct workers workers = make(four, 4);

	(void)state;
	assert_false(workers_restricted(&workers));
	assert_int_equal(workers_change(&workers, &idle, NULL), 0);
	assert_true(workers_restricted(&workers));
	/* An empty slot restricts nothing. */
	assert_int_equal(workers_change(&workers, &leave, NULL), 0);
	assert_false(workers_restricted(&workers));
	workers_free(&workers);
}

/* ------------------------------------------------------------------ CPU layout */

static void nodes_divide_the_cpus(void **state)
{
	(void)state;
	for (unsigned int cpus = 1; cpus <= 24; cpus++) {
		for (unsigned int nodes = 1; nodes <= cpus; nodes++) {
			struct cpu_layout layout;
			unsigned int least = cpus, most = 0;

			assert_int_equal(cpu_layout_make(&layout, cpus, nodes, NULL), 0);
			assert_int_equal(layout.cpus, cpus);
			assert_int_equal(layout.nodes, nodes);
			for (unsigned int cpu = 0; cpu < cpus; cpu++) {
				assert_true(!cpu || layout.node_of[cpu] >= layout.node_of[cpu - 1]);
				for (unsigned int node = 0; node < nodes; node++)
					assert_int_equal(cpus_has(&layout.of_node[node], cpu),
							 layout.node_of[cpu] == node);
			}
			for (unsigned int node = 0; node < nodes; node++) {
				unsigned int count = cpus_count(&layout.of_node[node]);

				least = count < least ? count : least;
				most = count > most ? count : most;
			}
			assert_true(least >= 1 && most - least <= 1);
			cpu_layout_free(&layout);
		}
	}
}

static void layouts_that_there_are_not(void **state)
{
	struct cpu_layout layout;

	(void)state;
	assert_int_equal(cpu_layout_make(&layout, 2, 3, NULL), -EINVAL);
	assert_int_equal(cpu_layout_make(&layout, CPUS_MAX + 1, 1, NULL), -EINVAL);
	/* This host's, without a number; one node without its number. */
	assert_int_equal(cpu_layout_make(&layout, 0, 0, NULL), 0);
	assert_int_equal(layout.cpus, topology_cpus());
	assert_int_equal(layout.nodes, topology_nodes());
	cpu_layout_free(&layout);
	assert_int_equal(cpu_layout_make(&layout, 3, 0, NULL), 0);
	assert_int_equal(layout.nodes, 1);
	assert_int_equal(cpus_count(&layout.of_node[0]), 3);
	cpu_layout_free(&layout);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(hashed_by_the_tuple),
		cmocka_unit_test(hash_picks_in_the_order_of_the_group),
		cmocka_unit_test(round_robin_takes_turns),
		cmocka_unit_test(cpu_goes_by_the_arrival),
		cmocka_unit_test(numa_goes_by_the_node),
		cmocka_unit_test(least_queue_is_even),
		cmocka_unit_test(without_weight_there_is_no_worker),
		cmocka_unit_test(what_cannot_be_replayed),
		cmocka_unit_test(a_copy_is_of_its_own),
		cmocka_unit_test(restricted_by_a_weight_of_0),
		cmocka_unit_test(nodes_divide_the_cpus),
		cmocka_unit_test(layouts_that_there_are_not),
	};

	return cmocka_run_group_tests_name("replay", tests, make_packets, free_packets);
}
