/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* The fallback chain: which entries of the table are asked. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
/* After those four, which it needs. */
#include <cmocka.h>

#include "decide/chain.h"
#include "random.h"

static const enum steering_policy policies[] = {
	POLICY_HASH, POLICY_LINUX39, POLICY_CONSISTENT, POLICY_WEIGHTED,
	POLICY_CPU,  POLICY_NUMA,    POLICY_RANDOM,     POLICY_ROUND_ROBIN,
};

#define POLICIES (sizeof(policies) / sizeof(policies[0]))

static int by_place(enum steering_policy policy)
{
	return policy == POLICY_CPU || policy == POLICY_NUMA;
}

/* The range of the hash space that it lies in, by division. */
static uint32_t range_of(uint32_t hash, uint32_t n)
{
	return (unsigned __int128)hash * n / ((unsigned __int128)1 << 32);
}

static void inside(const struct plan *plan, uint32_t hash, const struct circumstances *at)
{
	uint64_t entries = plan->width;

	if (by_place(plan->policy))
		entries *= at->rows + 1;
	for (uint32_t try = 0; try < CHAIN_STEPS + 4; try++)
		if (chain_index(plan, hash, at, try) >= entries)
			fail_msg("policy %u, width %u, row %u of %u, hash %u, try %u: %u",
				 plan->policy, plan->width, at->row, at->rows, hash, try,
				 chain_index(plan, hash, at, try));
}

static void stays_inside_the_table(void **state)
{
	static const uint32_t edges[] = { 0, 1, 0x7fffffff, 0x80000000, 0xfffffffe, 0xffffffff };
	uint64_t seed = 3;

	(void)state;
	for (size_t p = 0; p < POLICIES; p++)
		for (int i = 0; i < 3000; i++) {
			struct circumstances at = { .rows = 1 + next_hash(&seed) % 512,
						    .turn = next_hash(&seed) };
			struct plan plan = { .policy = policies[p] };
			/* 2^20 entries in all at most. */
			uint32_t most = by_place(policies[p]) ? (1 << 20) / (at.rows + 1) : 1 << 20;

			if (policies[p] == POLICY_LINUX39)
				most = 256;
			plan.width = 1 + next_hash(&seed) % most;
			/* CPUs that came after the attach, too. */
			at.row = i % 7 ? next_hash(&seed) % at.rows : next_hash(&seed);
			if (i % 5 == 0)
				at.turn = edges[i % 6];
			inside(&plan, i < 6 ? edges[i] : next_hash(&seed), &at);
		}
}

static void first_try_is_the_plain_hash(void **state)
{
	static const enum steering_policy plain[] = { POLICY_HASH, POLICY_CONSISTENT,
						      POLICY_WEIGHTED, POLICY_RANDOM };
	const struct circumstances at = { .row = 5, .rows = 8, .turn = 9 };
	uint64_t seed = 5;

	(void)state;
	for (int i = 0; i < 20000; i++) {
		uint32_t hash = next_hash(&seed);
		struct plan plan = { .width = 1 + next_hash(&seed) % 131072 };

		plan.policy = plain[i % 4];
		assert_int_equal(chain_hash(hash, 0), hash);
		assert_int_equal(chain_index(&plan, hash, &at, 0), range_of(hash, plan.width));
		plan.policy = POLICY_LINUX39;
		plan.width = 1 + plan.width % 100;
		assert_int_equal(chain_index(&plan, hash, &at, 0),
				 decide_linux39(hash, plan.width));
	}
}

static void each_try_is_another_permutation(void **state)
{
	uint64_t seed = 6;

	(void)state;
	for (int i = 0; i < 100000; i++) {
		uint32_t hash = next_hash(&seed), tries[CHAIN_STEPS];

		for (uint32_t try = 0; try < CHAIN_STEPS; try++) {
			tries[try] = chain_hash(hash, try);
			for (uint32_t before = 0; before < try; before++)
				assert_int_not_equal(tries[try], tries[before]);
		}
	}
}

/* Where one try leads says nothing of where another does. */
static void tries_are_independent(void **state)
{
	enum { WIDTH = 4, ROUNDS = 64000 };
	struct plan plan = { .policy = POLICY_HASH, .width = WIDTH };
	const struct circumstances at = { 0 };

	(void)state;
	for (uint32_t a = 0; a < CHAIN_STEPS; a++)
		for (uint32_t b = a + 1; b < CHAIN_STEPS; b++) {
			uint32_t pairs[WIDTH][WIDTH] = { 0 };
			uint64_t seed = 8;

			for (int i = 0; i < ROUNDS; i++) {
				uint32_t hash = next_hash(&seed);

				pairs[chain_index(&plan, hash, &at, a)]
				     [chain_index(&plan, hash, &at, b)]++;
			}
			/* 4000 each; five deviations are 306. */
			for (int i = 0; i < WIDTH * WIDTH; i++)
				assert_in_range(pairs[i / WIDTH][i % WIDTH], 4000 - 310,
						4000 + 310);
		}
}

static void places_have_rows(void **state)
{
	uint64_t seed = 10;

	(void)state;
	for (int i = 0; i < 20000; i++) {
		struct plan plan = { .policy = i & 1 ? POLICY_CPU : POLICY_NUMA,
				     .width = 1 + next_hash(&seed) % 1000 };
		struct circumstances at = { .rows = 1 + next_hash(&seed) % 64 };
		uint32_t hash = next_hash(&seed), last = at.rows * plan.width;

		at.row = next_hash(&seed) % at.rows;
		assert_int_equal(chain_index(&plan, hash, &at, 0),
				 at.row * plan.width + range_of(hash, plan.width));
		for (uint32_t try = 1; try < CHAIN_STEPS; try++)
			assert_int_equal(chain_index(&plan, hash, &at, try),
					 last + range_of(chain_hash(hash, try), plan.width));
		/* One that was not there when the table was made. */
		at.row = at.rows + next_hash(&seed) % 3;
		assert_int_equal(chain_index(&plan, hash, &at, 0),
				 last + range_of(hash, plan.width));
	}
}

/* Each entry has one turn in each block, and further steps take the turns that follow. */
static void round_robin_takes_turns(void **state)
{
	struct plan plan = { .policy = POLICY_ROUND_ROBIN };
	uint64_t seed = 12;

	(void)state;
	for (plan.width = 1; plan.width < 200; plan.width++) {
		uint32_t block = next_hash(&seed) / plan.width / 2;
		struct circumstances at = { .turn = block * plan.width };
		unsigned char had[200] = { 0 };

		for (uint32_t i = 0; i < plan.width; i++, at.turn++) {
			uint32_t now = chain_index(&plan, next_hash(&seed), &at, 0);

			assert_int_equal(had[now]++, 0);
			for (uint32_t try = 1; try < CHAIN_STEPS; try++) {
				struct circumstances later = { .turn = at.turn + try };

				assert_int_equal(chain_index(&plan, 0, &at, try),
						 chain_index(&plan, 0, &later, 0));
			}
		}
	}
}

/* Of packets that the kernel looks up several times, the last look-up counts. */
static void round_robin_is_even_for_any_number_of_lookups(void **state)
{
	struct plan plan = { .policy = POLICY_ROUND_ROBIN };

	(void)state;
	for (plan.width = 1; plan.width <= 8; plan.width++)
		for (uint32_t lookups = 1; lookups <= 8; lookups++) {
			struct circumstances at = { .turn = lookups - 1 };
			unsigned int got[8] = { 0 };

			for (int i = 0; i < 4000; i++, at.turn += lookups)
				got[chain_index(&plan, 0, &at, 0)]++;
			for (uint32_t i = 0; i < plan.width; i++)
				assert_in_range(got[i] * plan.width, 3600, 4400);
		}
}

static void turns_follow_the_packets_of_the_cpu(void **state)
{
	(void)state;
	for (uint32_t cpu = 0; cpu < 300; cpu++)
		for (uint64_t packets = 0xfffffff0; packets < 0x100000010; packets++)
			assert_int_equal(chain_turn(packets + 1, cpu, 7),
					 (uint32_t)(chain_turn(packets, cpu, 7) + 1));
	assert_int_equal(chain_turn(0, 0, 7), 0);
}

/* The first packets on many CPUs do not all go to one worker: of n CPUs, at most
 * two begin with the same one of n. */
static void first_turns_are_spread(void **state)
{
	(void)state;
	for (uint32_t n = 1; n <= 512; n++) {
		unsigned char firsts[512] = { 0 };

		for (uint32_t cpu = 0; cpu < n; cpu++)
			firsts[chain_turn(0, cpu, n) % n]++;
		for (uint32_t i = 0; i < n; i++)
			assert_in_range(firsts[i], 0, 2);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(stays_inside_the_table),
		cmocka_unit_test(first_try_is_the_plain_hash),
		cmocka_unit_test(each_try_is_another_permutation),
		cmocka_unit_test(tries_are_independent),
		cmocka_unit_test(places_have_rows),
		cmocka_unit_test(round_robin_takes_turns),
		cmocka_unit_test(round_robin_is_even_for_any_number_of_lookups),
		cmocka_unit_test(turns_follow_the_packets_of_the_cpu),
		cmocka_unit_test(first_turns_are_spread),
	};

	return cmocka_run_group_tests_name("chain", tests, NULL, NULL);
}
