/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * The table that a policy is compiled to, against references written in another
 * way. The host's NUMA nodes are made up.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
/* After those four, which it needs. */
#include <cmocka.h>

#include <string.h>

#include "policy/table_compile.h"
#include "random.h"

#define ROOM 1024
#define SLOTS_MOST 300
#define NODE_CPUS 4 /* CPUs 0 to 3 are node 0, and so on */
#define CPUS 16
#define NODES (CPUS / NODE_CPUS)

void __wrap_topology_cpus_of_node(unsigned int node, struct cpus *set);
void __wrap_topology_cpus_of_node(unsigned int node, struct cpus *set)
{
	*set = (struct cpus){ 0 };
	for (unsigned int cpu = node * NODE_CPUS; cpu < (node + 1) * NODE_CPUS; cpu++)
		cpus_add(set, cpu);
}

struct built {
	uint16_t entries[1 << 17];
	uint32_t width;
};

static struct built built; /* too large for the stack */

static void build(enum steering_policy policy, uint8_t flags, uint32_t room,
		  const uint32_t *weights, unsigned int slots, bool restricted,
		  const struct cpus *cpus)
{
	struct table_spec c = {
		.plan = { .policy = policy, .flags = flags },
		.room = room,
		.slots = slots,
		.weights = weights,
		.restricted = restricted,
		.cpu_count = CPUS,
		.node_count = NODES,
		.cpus = cpus,
	};

	memset(&built, 0xee, sizeof(built));
	assert_int_equal(table_compile(&c, built.entries, &built.width), 0);
	assert_true(built.width * (table_compile_rows(&c.plan, c.cpu_count, c.node_count) + 1) <=
		    room);
	/* Not a word beyond it. */
	for (uint32_t i = room; i < room + 64; i++)
		assert_int_equal(built.entries[i], 0xeeee);
}

static void build_plain(enum steering_policy policy, const uint32_t *weights, unsigned int slots)
{
	build(policy, 0, ROOM, weights, slots, false, NULL);
}

/* Entries of each slot in one row; every entry must be of a slot, or of nobody. */
static void count_row(const uint16_t *row, uint32_t width, unsigned int slots, uint32_t *counts,
		      uint32_t *nobody)
{
	memset(counts, 0, slots * sizeof(*counts));
	*nobody = 0;
	for (uint32_t i = 0; i < width; i++) {
		if (row[i] == TABLE_NO_WORKER) {
			(*nobody)++;
			continue;
		}
		assert_true(row[i] < slots);
		counts[row[i]]++;
	}
}

/* -------------------------------------------------------------- references */

/* Hamilton's: one by one to whose remainder is the largest, of equals the first. */
static void largest_remainders(uint32_t *counts, uint32_t total, const uint32_t *weights,
			       unsigned int n)
{
	uint64_t rest[SLOTS_MOST], sum = 0, given = 0;

	for (unsigned int i = 0; i < n; i++)
		sum += weights[i];
	for (unsigned int i = 0; i < n; i++) {
		counts[i] = sum ? (uint64_t)total * weights[i] / sum : 0;
		rest[i] = sum ? (uint64_t)total * weights[i] % sum : 0;
		given += counts[i];
	}
	while (sum && given < total) {
		unsigned int best = 0;

		for (unsigned int i = 1; i < n; i++)
			if (rest[i] > rest[best])
				best = i;
		counts[best]++;
		rest[best] = 0;
		given++;
	}
}

/* Whether w entries can be shared out exactly. */
static bool shares_exactly(uint64_t w, const uint32_t *weights, unsigned int n)
{
	uint64_t sum = 0;

	for (unsigned int i = 0; i < n; i++)
		sum += weights[i];
	for (unsigned int i = 0; i < n; i++)
		if (sum && w * weights[i] % sum)
			return false;
	return true;
}

static void row_is(uint32_t row, const uint32_t *weights, unsigned int slots)
{
	uint32_t counts[SLOTS_MOST], wanted[SLOTS_MOST], nobody;

	count_row(built.entries + row * built.width, built.width, slots, counts, &nobody);
	largest_remainders(wanted, built.width, weights, slots);
	for (unsigned int slot = 0; slot < slots; slot++)
		if (counts[slot] != wanted[slot])
			fail_msg("row %u of %u entries: slot %u has %u, expected %u", row,
				 built.width, slot, counts[slot], wanted[slot]);
	for (unsigned int slot = 0; slot < slots; slot++)
		nobody += counts[slot];
	assert_int_equal(nobody, built.width);
}

static unsigned int random_weights(uint64_t *seed, uint32_t *weights)
{
	static const uint32_t most[] = { 1, 2, 3, 10, 100, 1000 };
	unsigned int n = 1 + next_hash(seed) % (next_hash(seed) % 4 ? 12 : SLOTS_MOST);
	uint32_t limit = most[next_hash(seed) % 6], step = next_hash(seed) % 3 ? 1 : limit / 2 + 1;

	for (unsigned int i = 0; i < n; i++)
		weights[i] = next_hash(seed) % (limit + 1) / step * step;
	return n;
}

/* ------------------------------------------------------------------- weighted */

static void exact_where_weights_allow(void **state)
{
	static const struct {
		uint32_t weights[6], width;
	} table[] = {
		{ { 1 }, 1 },
		{ { 1000 }, 1 },
		{ { 1, 1 }, 2 },
		{ { 1, 2, 3 }, 6 },
		{ { 10, 20, 30 }, 6 },
		{ { 0, 7, 0 }, 1 },
		{ { 0, 7, 0, 21 }, 4 },
		{ { 999, 25 }, 1024 },
		{ { 500, 500, 24 }, 256 },
		{ { 1000, 25 }, 41 },
		{ { 1000, 999 }, 1024 }, /* 1999 would be needed */
		{ { 1000, 1 }, 1001 },
		{ { 1000, 1000, 1000, 1000, 1 }, 1024 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		build_plain(POLICY_WEIGHTED, table[i].weights, 6);
		assert_int_equal(built.width, table[i].width);
		row_is(0, table[i].weights, 6);
		build_plain(POLICY_RANDOM, table[i].weights, 6);
		assert_int_equal(built.width, table[i].width);
		row_is(0, table[i].weights, 6);
	}
}

static void shares_by_largest_remainders(void **state)
{
	static const enum steering_policy policies[] = { POLICY_WEIGHTED, POLICY_RANDOM,
							 POLICY_ROUND_ROBIN };
	uint32_t weights[SLOTS_MOST];
	uint64_t seed = 21;

	(void)state;
	for (int i = 0; i < 2000; i++) {
		unsigned int n = random_weights(&seed, weights);
		uint32_t width;

		build_plain(policies[i % 3], weights, n);
		row_is(0, weights, n);
		width = built.width;
		/* The smallest table that is exact, or all the room. */
		if (width == ROOM)
			for (uint32_t w = 1; w < ROOM; w++)
				assert_true(!shares_exactly(w, weights, n));
		else
			for (uint32_t w = 1; w <= width; w++)
				assert_int_equal(shares_exactly(w, weights, n), w == width);
	}
}

/* ------------------------------------------------- those that know no weights */

static void each_worker_once(void **state)
{
	uint32_t weights[SLOTS_MOST], counts[SLOTS_MOST], nobody;
	uint64_t seed = 22;

	(void)state;
	for (int i = 0; i < 1000; i++) {
		unsigned int n = random_weights(&seed, weights), some = 0;

		for (unsigned int slot = 0; slot < n; slot++)
			some += weights[slot] != 0;
		if (!some)
			continue;
		if (i % 3 == 0)
			build_plain(POLICY_LEAST_QUEUE, weights, n);
		else
			build(i % 3 == 1 ? POLICY_HASH : POLICY_LINUX39, 0, ROOM, weights, n, true,
			      NULL);
		assert_int_equal(built.width, some);
		count_row(built.entries, built.width, n, counts, &nobody);
		for (unsigned int slot = 0; slot < n; slot++)
			assert_int_equal(counts[slot], weights[slot] != 0);
		assert_int_equal(nobody, 0);
	}
}

static void the_group_itself_unless_restricted(void **state)
{
	static const uint32_t weights[] = { 1, 0, 1 };

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		enum steering_policy policy = i ? POLICY_LINUX39 : POLICY_HASH;

		build(policy, 0, ROOM, weights, 3, false, NULL);
		assert_int_equal(built.width, 0);
		build(policy, 0, ROOM, weights, 3, true, NULL);
		assert_int_equal(built.width, 2);
		/* The kernel's group goes by the kernel's hash. */
		build(policy, PLAN_OWN_HASH, ROOM, weights, 3, false, NULL);
		assert_int_equal(built.width, 2);
	}
	for (enum steering_policy policy = POLICY_CONSISTENT; policy < POLICY_LINUX39; policy++) {
		static const struct cpus anywhere[3] = { { { 1 } }, { { 1 } }, { { 1 } } };

		build(policy, 0, ROOM, weights, 3, false, anywhere);
		assert_true(built.width > 0);
	}
}

/* ---------------------------------------------------------------- round-robin */

/* The most entries from one turn of the slot to its next, around the end. */
static uint32_t longest_gap(unsigned int slot)
{
	uint32_t first = UINT32_MAX, last = 0, longest = 0;

	for (uint32_t i = 0; i < built.width; i++) {
		if (built.entries[i] != slot)
			continue;
		if (first == UINT32_MAX)
			first = i;
		else if (i - last > longest)
			longest = i - last;
		last = i;
	}
	if (first == UINT32_MAX)
		return 0;
	return first + built.width - last > longest ? first + built.width - last : longest;
}

/* No gap is longer than this many times the mean one, and more entries. */
static void gaps_within(const uint32_t *weights, unsigned int n, double times, double more)
{
	uint32_t counts[SLOTS_MOST], nobody;

	build_plain(POLICY_ROUND_ROBIN, weights, n);
	count_row(built.entries, built.width, n, counts, &nobody);
	assert_int_equal(nobody, 0);
	for (unsigned int slot = 0; slot < n; slot++)
		if (counts[slot] && longest_gap(slot) > times * built.width / counts[slot] + more)
			fail_msg("slot %u has %u of %u turns, and a gap of %u", slot, counts[slot],
				 built.width, longest_gap(slot));
}

static void equal_workers_alternate(void **state)
{
	uint32_t weights[SLOTS_MOST];

	(void)state;
	for (unsigned int n = 1; n <= SLOTS_MOST; n++) {
		for (unsigned int i = 0; i < n; i++)
			weights[i] = 7;
		gaps_within(weights, n, 1, 0);
		assert_int_equal(built.width, n);
	}
}

/* The usual ones: some workers are worth more than the others. */
static void turns_are_interleaved(void **state)
{
	uint32_t weights[64];

	(void)state;
	for (unsigned int n = 2; n <= 64; n++)
		for (uint32_t heavy = 2; heavy < n + 3; heavy++)
			for (unsigned int heavies = 1; heavies < n; heavies += 5) {
				for (unsigned int i = 0; i < n; i++)
					weights[i] = i < heavies ? heavy : 1;
				gaps_within(weights, n, 1, 2);
			}
}

static void any_weights_are_interleaved(void **state)
{
	uint32_t weights[SLOTS_MOST];
	uint64_t seed = 24;

	(void)state;
	for (int i = 0; i < 500; i++) {
		unsigned int n = random_weights(&seed, weights);

		weights[0]++; /* somebody gets something */
		gaps_within(weights, n, 2, 2);
	}
}

/* ------------------------------------------------------------- CPUs and nodes */

static struct cpus mask(uint64_t cpus)
{
	struct cpus set = { 0 };

	set.words[0] = cpus;
	return set;
}

static uint64_t node_mask(uint32_t node)
{
	return ((1ULL << NODE_CPUS) - 1) << node * NODE_CPUS;
}

/* Weights of those who share a row: the reference, over plain masks. */
static void candidates(enum steering_policy policy, uint32_t row, const uint64_t *masks,
		       const uint32_t *weights, unsigned int n, uint32_t *chosen)
{
	uint64_t place = policy == POLICY_CPU ? 1ULL << row : node_mask(row);
	uint64_t node = policy == POLICY_CPU ? node_mask(row / NODE_CPUS) : 0;
	int narrowest = 65, best = 4;
	uint32_t class[SLOTS_MOST];

	for (unsigned int i = 0; i < n; i++) {
		bool there = masks[i] & place, only = !(masks[i] & ~place);

		class[i] = 3; /* anyone */
		if (policy == POLICY_NUMA && there)
			class[i] = only ? 1 : 2;
		else if (there)
			class[i] = 1;
		else if (masks[i] & node)
			class[i] = 2;
		if (weights[i] && (int)class[i] < best)
			best = class[i];
	}
	for (unsigned int i = 0; i < n; i++)
		if (weights[i] && best == 1 && class[i] == 1 && policy == POLICY_CPU &&
		    __builtin_popcountll(masks[i]) < narrowest)
			narrowest = __builtin_popcountll(masks[i]);
	for (unsigned int i = 0; i < n; i++) {
		chosen[i] = (int)class[i] == best ? weights[i] : 0;
		if (best == 1 && policy == POLICY_CPU &&
		    __builtin_popcountll(masks[i]) != narrowest)
			chosen[i] = 0;
	}
}

static void build_places(enum steering_policy policy, uint32_t room, const uint64_t *masks,
			 const uint32_t *weights, unsigned int n)
{
	static struct cpus cpus[SLOTS_MOST];

	for (unsigned int i = 0; i < n; i++)
		cpus[i] = mask(masks[i]);
	build(policy, 0, room, weights, n, false, cpus);
}

static void places_are(enum steering_policy policy, uint32_t room, const uint64_t *masks,
		       const uint32_t *weights, unsigned int n)
{
	uint32_t rows = policy == POLICY_CPU ? CPUS : NODES, chosen[SLOTS_MOST];
	uint32_t most = room / (rows + 1);
	bool exact = true;

	build_places(policy, room, masks, weights, n);
	for (uint32_t row = 0; row < rows; row++) {
		candidates(policy, row, masks, weights, n, chosen);
		row_is(row, chosen, n);
		exact &= shares_exactly(built.width, chosen, n);
	}
	row_is(rows, weights, n);
	exact &= shares_exactly(built.width, weights, n);
	/* As wide as there is room, unless fewer entries are exact. */
	assert_true(built.width == most || (exact && built.width < most));
}

/* The row has these slots and no other; 64 of them at most. */
static void row_has(uint32_t row, uint64_t slots)
{
	uint64_t found = 0;

	for (uint32_t i = 0; i < built.width; i++) {
		assert_true(built.entries[row * built.width + i] < 64);
		found |= 1ULL << built.entries[row * built.width + i];
	}
	if (found != slots)
		fail_msg("row %u has the slots 0x%llx, expected 0x%llx", row,
			 (unsigned long long)found, (unsigned long long)slots);
}

static void one_worker_a_cpu(void **state)
{
	uint64_t masks[CPUS];
	uint32_t weights[CPUS];

	(void)state;
	for (int i = 0; i < CPUS; i++) {
		masks[i] = 1ULL << (CPUS - 1 - i);
		weights[i] = 1;
	}
	build_places(POLICY_CPU, ROOM, masks, weights, CPUS);
	for (uint32_t cpu = 0; cpu < CPUS; cpu++)
		row_has(cpu, 1ULL << (CPUS - 1 - cpu));
	row_has(CPUS, 0xffff);
	places_are(POLICY_CPU, ROOM, masks, weights, CPUS);
	places_are(POLICY_NUMA, ROOM, masks, weights, CPUS);
}

static void cpu_then_node_then_anyone(void **state)
{
	/* Two on CPU 0, one on CPU 5; one that may use all of node 1. */
	static const uint64_t masks[] = { 1, 1, 1 << 5, 0xf0 };
	static const uint32_t weights[] = { 1, 3, 1, 1 };

	(void)state;
	build_places(POLICY_CPU, ROOM, masks, weights, 4);
	row_has(0, 0x3); /* who is there */
	row_has(1, 0x3); /* on that node */
	row_has(4, 0x8); /* may be there */
	row_has(5, 0x4); /* the pinned one before it */
	row_has(8, 0xf); /* on no worker's node */
	row_has(15, 0xf);
	row_has(CPUS, 0xf);
	places_are(POLICY_CPU, ROOM, masks, weights, 4);

	build_places(POLICY_NUMA, ROOM, masks, weights, 4);
	row_has(0, 0x3);
	row_has(1, 0xc);
	row_has(2, 0xf);
	row_has(3, 0xf);
	row_has(NODES, 0xf);
	places_are(POLICY_NUMA, ROOM, masks, weights, 4);
}

static void node_prefers_who_is_nowhere_else(void **state)
{
	static const uint64_t masks[] = { 0xffff, 0xf, 0x1f };
	static const uint32_t weights[] = { 1, 1, 1 };

	(void)state;
	build_places(POLICY_NUMA, ROOM, masks, weights, 3);
	row_has(0, 0x2);
	row_has(1, 0x5);
	row_has(2, 0x1);
	places_are(POLICY_NUMA, ROOM, masks, weights, 3);
}

static void weight_0_gives_way(void **state)
{
	static const uint64_t masks[] = { 1, 2, 0x30, 0 };
	static const uint32_t weights[] = { 0, 1, 1, 1 };

	(void)state;
	build_places(POLICY_CPU, ROOM, masks, weights, 4);
	row_has(0, 0x2); /* the other one on the node */
	row_has(1, 0x2);
	row_has(4, 0x4);
	row_has(8, 0xe);
	row_has(CPUS, 0xe);
}

static void any_places(void **state)
{
	uint32_t weights[SLOTS_MOST];
	uint64_t masks[SLOTS_MOST], seed = 25;

	(void)state;
	for (int i = 0; i < 1000; i++) {
		unsigned int n = random_weights(&seed, weights);

		for (unsigned int slot = 0; slot < n; slot++) {
			masks[slot] = next_hash(&seed) & next_hash(&seed) & 0xffff;
			if (next_hash(&seed) % 2)
				masks[slot] = 1 << next_hash(&seed) % CPUS;
		}
		places_are(i & 1 ? POLICY_CPU : POLICY_NUMA, i & 2 ? ROOM : 1 << 16, masks, weights,
			   n);
	}
}

/* Rows as many as there is room for: one entry each. */
static void no_room_to_spare(void **state)
{
	static const uint64_t masks[] = { 1, 2 };
	static const uint32_t weights[] = { 3, 5 };

	(void)state;
	places_are(POLICY_CPU, 32, masks, weights, 2);
	assert_int_equal(built.width, 1);
	row_has(0, 1);
	row_has(1, 2);
}

/* --------------------------------------------------------------- all policies */

static void all_weights_0_is_nobody(void **state)
{
	static const uint32_t weights[5];
	static const struct cpus cpus[5] = { { { 1 } } };

	(void)state;
	for (enum steering_policy policy = POLICY_HASH; policy <= POLICY_LINUX39; policy++)
		for (int over = 0; over < 2; over++) {
			uint32_t counts[5], nobody, rows = 1;

			if (over && policy != POLICY_WEIGHTED)
				continue;
			if (policy == POLICY_CPU || policy == POLICY_NUMA)
				rows = 1 + (policy == POLICY_CPU ? CPUS : NODES);
			build(policy, over ? PLAN_OVER_CONSISTENT : 0, ROOM, weights, 5, true,
			      cpus);
			assert_true(built.width > 0);
			count_row(built.entries, rows * built.width, 5, counts, &nobody);
			assert_int_equal(nobody, rows * built.width);
		}
}

/* Whatever comes in: nobody who is to get nothing, and nobody who is not there;
 * somebody in every entry, if there is anybody. */
static void any_input(void **state)
{
	static struct cpus cpus[SLOTS_MOST];
	uint32_t weights[SLOTS_MOST], counts[SLOTS_MOST], nobody;
	uint64_t seed = 26;

	(void)state;
	for (int i = 0; i < 3000; i++) {
		enum steering_policy policy = i % 9;
		unsigned int n = random_weights(&seed, weights);
		uint32_t rows = 1, sum = 0;

		for (unsigned int slot = 0; slot < n; slot++) {
			cpus[slot] = mask(next_hash(&seed) & next_hash(&seed) & 0xffff);
			sum += weights[slot];
		}
		if (policy == POLICY_CPU || policy == POLICY_NUMA)
			rows = 1 + (policy == POLICY_CPU ? CPUS : NODES);
		build(policy,
		      next_hash(&seed) % 2 && policy == POLICY_WEIGHTED ? PLAN_OVER_CONSISTENT : 0,
		      ROOM << next_hash(&seed) % 3, weights, n, true, cpus);
		count_row(built.entries, rows * built.width, n, counts, &nobody);
		assert_true(built.width > 0);
		for (unsigned int slot = 0; slot < n; slot++)
			assert_true(weights[slot] || !counts[slot]);
		assert_int_equal(nobody, sum ? 0 : rows * built.width);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(exact_where_weights_allow),
		cmocka_unit_test(shares_by_largest_remainders),
		cmocka_unit_test(each_worker_once),
		cmocka_unit_test(the_group_itself_unless_restricted),
		cmocka_unit_test(equal_workers_alternate),
		cmocka_unit_test(turns_are_interleaved),
		cmocka_unit_test(any_weights_are_interleaved),
		cmocka_unit_test(one_worker_a_cpu),
		cmocka_unit_test(cpu_then_node_then_anyone),
		cmocka_unit_test(node_prefers_who_is_nowhere_else),
		cmocka_unit_test(weight_0_gives_way),
		cmocka_unit_test(any_places),
		cmocka_unit_test(no_room_to_spare),
		cmocka_unit_test(all_weights_0_is_nobody),
		cmocka_unit_test(any_input),
	};

	return cmocka_run_group_tests_name("compile", tests, NULL, NULL);
}
