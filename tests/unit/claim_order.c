/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* The claims of policy "consistent": their order and their times. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
/* After those four, which it needs. */
#include <cmocka.h>

#include "claims.h"
#include "decide/consistent.h"
#include "policy/claim_order.h"

#define MOST_ENTRIES (1 << CONSISTENT_MAX_BITS)

static uint32_t ranks[MOST_ENTRIES], clocks[MOST_ENTRIES];
static uint64_t expected[MOST_ENTRIES];
static uint8_t seen[MOST_ENTRIES];

static const uint32_t some_slots[] = { 0, 1, 2, 63, 4095, 32767 };
#define SOME_SLOTS (sizeof(some_slots) / sizeof(some_slots[0]))

static void ranks_equal_the_definition(void **state)
{
	(void)state;
	for (uint32_t bits = CONSISTENT_MIN_BITS; bits <= CONSISTENT_MAX_BITS; bits++) {
		uint32_t number = some_slots[bits % SOME_SLOTS];
		struct consistent_slot slot = consistent_slot(number, 7);

		assert_int_equal(slot.weight, 7);
		claim_ranks(ranks, 1U << bits, number);
		for (uint32_t entry = 0; entry < 1U << bits; entry++)
			assert_int_equal(consistent_rank(&slot, entry, bits), ranks[entry]);
	}
}

static void ranks_are_a_permutation(void **state)
{
	(void)state;
	for (uint32_t bits = CONSISTENT_MIN_BITS; bits <= CONSISTENT_MAX_BITS; bits++) {
		struct consistent_slot slot = consistent_slot(some_slots[bits % SOME_SLOTS], 1);
		struct consistent_slot back = consistent_backward(&slot);

		for (uint32_t rank = 0; rank < 1U << bits; rank++) {
			uint32_t entry = consistent_claimed(&back, rank, bits);

			assert_true(entry < 1U << bits);
			assert_int_equal(seen[entry], bits - CONSISTENT_MIN_BITS);
			seen[entry]++;
			assert_int_equal(consistent_rank(&slot, entry, bits), rank);
		}
		/* Entries that the next size adds have not been seen as often. */
		for (uint32_t entry = 1U << bits; entry < 2U << bits; entry++)
			if (entry < MOST_ENTRIES)
				seen[entry] = bits + 1 - CONSISTENT_MIN_BITS;
	}
}

static void inverse_of_odd_numbers(void **state)
{
	uint64_t random = 1;

	(void)state;
	assert_int_equal(consistent_inverse(1), 1);
	assert_int_equal(consistent_inverse(0xffffffff), 0xffffffff);
	for (int i = 0; i < 100000; i++) {
		uint32_t odd = draw(&random, 0xffffffff) | 1;

		assert_int_equal((uint32_t)(odd * consistent_inverse(odd)), 1);
	}
}

/* Two slots agree on the rank of an entry as seldom as two permutations do. */
static void slots_differ(void **state)
{
	enum { SLOTS = 200, BITS = 12 };
	uint32_t same = 0, early = 0;

	(void)state;
	for (uint32_t i = 0; i < SLOTS; i++) {
		for (uint32_t k = 0; k < i; k++) {
			struct consistent_slot a = consistent_slot(i, 1), b = consistent_slot(k, 1);
			struct consistent_slot back = consistent_backward(&a);

			for (uint32_t rank = 0; rank < 1 << (BITS - 4); rank++) {
				uint32_t entry = consistent_claimed(&back, rank, BITS);
				uint32_t there = consistent_rank(&b, entry, BITS);

				same += there == rank;
				early += there < 1 << (BITS - 4);
			}
		}
	}
	/* Of 19900 pairs: 1/16 of one each, and 16 of 256 each. */
	assert_in_range(same, 1000, 1500);
	assert_in_range(early, 310000, 327000);
}

static void clocks_are_quantiles(void **state)
{
	(void)state;
	for (uint32_t bits = CONSISTENT_MIN_BITS; bits <= CONSISTENT_MAX_BITS; bits++) {
		uint32_t entries = 1U << bits, last = entries - 1;

		consistent_clocks(clocks, entries);
		claim_clocks(expected, entries);
		for (uint32_t rank = 0; rank < entries; rank++) {
			assert_int_equal(clocks[rank], expected[rank]);
			assert_true(!rank || clocks[rank] >= clocks[rank - 1] + 127);
		}
		assert_int_equal(clocks[0], (1U << 26) / entries);
		assert_true(clocks[last] < 1U << 31);
		for (uint32_t rank = 0; rank < last; rank += 1 + last / 5000) {
			double clock = clocks[rank] / 134217728.0;

			assert_true(clock > -log1p(-(double)rank / entries));
			assert_true(clock < -log1p(-(rank + 1.0) / entries));
		}
	}
}

static int precedes(struct consistent_claim a, struct consistent_claim b)
{
	int first = consistent_precedes(&a, &b), second = consistent_precedes(&b, &a);

	/* One of two different claims precedes. */
	assert_int_equal(first, !second);
	return first;
}

static void order_of_claims(void **state)
{
	typedef struct consistent_claim claim;

	(void)state;
	assert_true(precedes((claim){ 99, 1, 5 }, (claim){ 100, 1, 4 }));
	/* A tie is the lower slot's, with equal weights and with others. */
	assert_true(precedes((claim){ 100, 3, 4 }, (claim){ 100, 3, 5 }));
	assert_true(precedes((claim){ 200, 2, 4 }, (claim){ 100, 1, 5 }));
	assert_true(precedes((claim){ 100, 1, 4 }, (claim){ 200, 2, 5 }));
	/* One unit off the tie, at the largest clock and weight. */
	assert_true(precedes((claim){ 1999999998, 1000, 5 }, (claim){ 1999999999, 1000, 4 }));
	assert_true(precedes((claim){ 1999999999, 1000, 5 }, (claim){ 2000000, 1, 4 }));
	assert_true(precedes((claim){ 2000000, 1, 5 }, (claim){ 2000000001, 1000, 4 }));
}

/* The count has the claims at earlier times and no others, for any weights. */
static void counts_end_at_one_time(void **state)
{
	static uint32_t weights[3000];
	uint64_t random = 2;
	struct claim_order claims;

	(void)state;
	for (uint32_t slot = 0; slot < 3000; slot++)
		weights[slot] = draw(&random, 1001);
	assert_int_equal(claim_order_open(&claims, MOST_ENTRIES, weights, 3000), 0);
	for (int i = 0; i < 20000; i++) {
		uint64_t until = draw(&random, i % 2 ? 60 : 1U << 31);
		uint32_t weight = 1 + draw(&random, 1000);
		uint32_t before = claim_order_count(&claims, until, weight);
		unsigned __int128 time = (unsigned __int128)until * weight << 25;

		assert_true(before <= MOST_ENTRIES);
		assert_true(!before || claims.clock[before - 1] * claims.weight < time);
		assert_true(before == MOST_ENTRIES || claims.clock[before] * claims.weight >= time);
	}
	claim_order_close(&claims);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ranks_equal_the_definition),
		cmocka_unit_test(ranks_are_a_permutation),
		cmocka_unit_test(inverse_of_odd_numbers),
		cmocka_unit_test(slots_differ),
		cmocka_unit_test(clocks_are_quantiles),
		cmocka_unit_test(order_of_claims),
		cmocka_unit_test(counts_end_at_one_time),
	};

	return cmocka_run_group_tests_name("consistent_claims", tests, NULL, NULL);
}
