/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * The table with shares that are right to the entry, against all claims in
 * order; its distance from the other table, and what a leave moves.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
/* After those four, which it needs. */
#include <cmocka.h>

#include "claims.h"
#include "policy/apportion.h"
#include "policy/table_consistent.h"

#define MOST_ENTRIES (1 << 19)
#define MOST_SLOTS 4096

static uint16_t table[MOST_ENTRIES], other[MOST_ENTRIES], expected[MOST_ENTRIES];
static uint32_t weights[MOST_SLOTS], quota[MOST_SLOTS], counts[MOST_SLOTS];

static void build(uint16_t *into, uint32_t entries, uint32_t slots)
{
	assert_int_equal(table_exact_build(into, entries, weights, slots), 0);
}

struct claim {
	uint64_t clock;
	uint32_t weight;
	uint32_t slot;
	uint32_t entry;
};

static int by_time(const void *left, const void *right)
{
	const struct claim *a = left, *b = right;
	uint64_t x = a->clock * b->weight, y = b->clock * a->weight;

	if (x != y)
		return x < y ? -1 : 1;
	return a->slot < b->slot ? -1 : a->slot > b->slot;
}

/* Sorts every claim there is. */
static void reference(uint32_t entries, uint32_t slots)
{
	struct claim *claims = allocate((size_t)slots * entries, sizeof(*claims));
	uint64_t *clocks = allocate(entries, sizeof(*clocks));
	uint32_t *ranks = allocate(entries, sizeof(*ranks));
	size_t n = 0;

	claim_clocks(clocks, entries);
	for (uint32_t slot = 0; slot < slots; slot++) {
		claim_ranks(ranks, entries, slot);
		for (uint32_t entry = 0; entry < entries && weights[slot]; entry++)
			claims[n++] = (struct claim){ clocks[ranks[entry]], weights[slot], slot,
						      entry };
	}
	qsort(claims, n, sizeof(*claims), by_time);
	apportion(quota, entries, weights, slots);
	memset(expected, 0xff, sizeof(expected));
	for (size_t i = 0; i < n; i++) {
		if (!quota[claims[i].slot] || expected[claims[i].entry] != 0xffff)
			continue;
		quota[claims[i].slot]--;
		expected[claims[i].entry] = claims[i].slot;
	}
	free(claims);
	free(clocks);
	free(ranks);
}

static void equals_the_claims_in_order(void **state)
{
	uint64_t random = 1;

	(void)state;
	for (int i = 0; i < 40; i++) {
		uint32_t slots = 1 + draw(&random, 40), entries = 1024 << draw(&random, 3);

		for (uint32_t slot = 0; slot < slots; slot++) {
			weights[slot] = draw(&random, 1001);
			if (i % 3 == 1)
				weights[slot] = 1;
			else if (i % 3 == 2)
				weights[slot] = weights[slot] < 100 ? 1000 : draw(&random, 3);
		}
		memset(table, 0x5a, sizeof(table));
		build(table, entries, slots);
		reference(entries, slots);
		assert_memory_equal(table, expected, entries * sizeof(*table));
	}
}

static void check_counts(uint32_t entries, uint32_t slots)
{
	build(table, entries, slots);
	apportion(quota, entries, weights, slots);
	memset(counts, 0, sizeof(counts));
	for (uint32_t entry = 0; entry < entries; entry++) {
		assert_true(table[entry] < slots);
		counts[table[entry]]++;
	}
	assert_memory_equal(counts, quota, slots * sizeof(*counts));
}

static void shares_are_right_to_the_entry(void **state)
{
	uint64_t random = 2;

	(void)state;
	for (int i = 0; i < 60; i++) {
		uint32_t slots = 1 + draw(&random, 600);

		for (uint32_t slot = 0; slot < slots; slot++)
			weights[slot] = i % 2 ? draw(&random, 1001) : slot % 50 ? 1 : 1000;
		weights[0] = 1;
		check_counts(1024 << draw(&random, 7), slots);
	}
	for (uint32_t slot = 0; slot < MOST_SLOTS; slot++)
		weights[slot] = slot % 100 ? 1 + slot % 10 : 1000;
	check_counts(MOST_ENTRIES, MOST_SLOTS);
	/* More slots than entries: some get none. */
	check_counts(1024, MOST_SLOTS);
}

static void nobody_and_one(void **state)
{
	(void)state;
	memset(weights, 0, sizeof(weights));
	for (uint32_t slots = 0; slots <= 3; slots++) {
		build(table, 1024, slots);
		for (uint32_t entry = 0; entry < 1024; entry++)
			assert_int_equal(table[entry], 0xffff);
	}
	weights[2] = 1000;
	build(table, 1024, 3);
	for (uint32_t entry = 0; entry < 1024; entry++)
		assert_int_equal(table[entry], 2);
}

static uint32_t differing(uint32_t entries)
{
	uint32_t count = 0;

	for (uint32_t entry = 0; entry < entries; entry++)
		count += table[entry] != other[entry];
	return count;
}

/* Most entries are where they are without quotas: all but twice the mean error. */
static void close_to_the_table_without_quotas(void **state)
{
	enum { ENTRIES = 1 << 17 };
	uint64_t random = 3;

	(void)state;
	for (int i = 0; i < 10; i++) {
		for (uint32_t slot = 0; slot < 64; slot++)
			weights[slot] = i % 2 ? 1 : 1 + draw(&random, 1000);
		build(table, ENTRIES, 64);
		assert_int_equal(table_consistent_build(other, ENTRIES, weights, 64), 0);
		assert_in_range(differing(ENTRIES), 1, ENTRIES / 50);
	}
}

/* A leave has to move a share, and moves less than a third of one more. */
static void leave_moves_little_more_than_a_share(void **state)
{
	enum { ENTRIES = 1 << 17 };

	(void)state;
	for (uint32_t slot = 0; slot < 64; slot++)
		weights[slot] = 1;
	build(table, ENTRIES, 64);
	for (uint32_t slot = 0; slot < 64; slot += 7) {
		weights[slot] = 0;
		build(other, ENTRIES, 64);
		weights[slot] = 1;
		assert_in_range(differing(ENTRIES), ENTRIES / 64, ENTRIES / 64 * 4 / 3);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(equals_the_claims_in_order),
		cmocka_unit_test(shares_are_right_to_the_entry),
		cmocka_unit_test(nobody_and_one),
		cmocka_unit_test(close_to_the_table_without_quotas),
		cmocka_unit_test(leave_moves_little_more_than_a_share),
	};

	return cmocka_run_group_tests_name("consistent_exact", tests, NULL, NULL);
}
