/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * The table of policy "consistent" against the earliest claim of all on each
 * entry; what its changes move, and its shares.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
/* After those four, which it needs. */
#include <cmocka.h>

#include "claims.h"
#include "decide/consistent.h"
#include "decide/hash.h"
#include "policy/table_consistent.h"

#define MOST_ENTRIES (1 << 17)
#define MOST_SLOTS 4096

static uint16_t table[MOST_ENTRIES], other[MOST_ENTRIES], expected[MOST_ENTRIES];
static uint32_t weights[MOST_SLOTS], changed[MOST_SLOTS];

static void build(uint16_t *into, uint32_t entries, const uint32_t *by, uint32_t slots)
{
	assert_int_equal(table_consistent_build(into, entries, by, slots), 0);
}

/* By looking at every claim there is. */
static void reference(uint32_t entries, const uint32_t *by, uint32_t slots)
{
	uint64_t *clocks = allocate(entries, sizeof(*clocks));
	uint64_t *best = allocate(entries, sizeof(*best));
	uint32_t *ranks = allocate(entries, sizeof(*ranks));

	claim_clocks(clocks, entries);
	for (uint32_t entry = 0; entry < entries; entry++)
		expected[entry] = 0xffff;
	for (uint32_t slot = 0; slot < slots; slot++) {
		if (!by[slot])
			continue;
		claim_ranks(ranks, entries, slot);
		for (uint32_t entry = 0; entry < entries; entry++) {
			uint64_t clock = clocks[ranks[entry]];
			uint16_t owner = expected[entry];

			/* clock / weight, by cross-multiplication. */
			if (owner != 0xffff && best[entry] * by[slot] <= clock * by[owner])
				continue;
			expected[entry] = slot;
			best[entry] = clock;
		}
	}
	free(clocks);
	free(best);
	free(ranks);
}

static void compare(uint32_t entries, uint32_t slots)
{
	memset(table, 0x5a, sizeof(table));
	build(table, entries, weights, slots);
	reference(entries, weights, slots);
	assert_memory_equal(table, expected, entries * sizeof(*table));
}

/* Weights of all kinds. */
static void draw_weights(uint64_t *random, uint32_t *into, uint32_t slots)
{
	uint32_t kind = draw(random, 5);

	for (uint32_t slot = 0; slot < slots; slot++) {
		uint32_t weight = draw(random, 1001);

		if (kind == 1)
			weight = 1;
		else if (kind == 2)
			weight = draw(random, 2);
		else if (kind == 3)
			weight = draw(random, 8) ? 0 : weight;
		else if (kind == 4)
			weight = slot == slots / 2 ? 1000 : 1;
		into[slot] = weight;
	}
}

static void equals_the_earliest_claims(void **state)
{
	uint64_t random = 3;

	(void)state;
	for (int i = 0; i < 150; i++) {
		uint32_t slots = 1 + draw(&random, i % 3 ? 20 : 300);

		draw_weights(&random, weights, slots);
		compare(1024 << draw(&random, 5), slots);
	}
	draw_weights(&random, weights, 64);
	compare(MOST_ENTRIES, 64);
}

/* More slots than entries. */
static void equals_the_earliest_claims_of_many(void **state)
{
	uint64_t random = 4;

	(void)state;
	for (int i = 0; i < 3; i++) {
		draw_weights(&random, weights, MOST_SLOTS);
		compare(1024 << i, MOST_SLOTS);
	}
}

/* The same on every host: FNV-1a of a table that was compiled on x86-64. */
static void known_table(void **state)
{
	uint32_t hash = 2166136261;

	(void)state;
	for (uint32_t slot = 0; slot < 100; slot++)
		weights[slot] = slot * slot % 1001;
	build(table, 65536, weights, 100);
	for (uint32_t entry = 0; entry < 65536; entry++)
		hash = (hash ^ table[entry]) * 16777619;
	assert_int_equal(hash, 0x3268b);
}

static void nobody_and_one(void **state)
{
	static const uint32_t none[3], one[3] = { 0, 0, 1 };

	(void)state;
	for (uint32_t slots = 0; slots <= 3; slots++) {
		build(table, 1024, none, slots);
		for (uint32_t entry = 0; entry < 1024; entry++)
			assert_int_equal(table[entry], CONSISTENT_NONE);
	}
	assert_int_equal(table_consistent_change(table, 1024, none, one, 3), 0);
	for (uint32_t entry = 0; entry < 1024; entry++)
		assert_int_equal(table[entry], 2);
	assert_int_equal(table_consistent_change(table, 1024, one, none, 3), 0);
	for (uint32_t entry = 0; entry < 1024; entry++)
		assert_int_equal(table[entry], CONSISTENT_NONE);
}

static void not_a_table(void **state)
{
	static const uint32_t sizes[] = { 0, 1, 512, 1023, 1025, 3072, 1 << 21, 1U << 31 };
	static const uint32_t heavy[2] = { 1, 1001 }, fine[2] = { 1, 1000 }, many[0xffff + 1];

	(void)state;
	memset(table, 0x5a, sizeof(table));
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		assert_int_equal(table_consistent_build(table, sizes[i], fine, 2), -EINVAL);
		assert_int_equal(table_exact_build(table, sizes[i], fine, 2), -EINVAL);
	}
	assert_int_equal(table_consistent_build(table, 1024, heavy, 2), -EINVAL);
	assert_int_equal(table_consistent_change(table, 1024, fine, heavy, 2), -EINVAL);
	assert_int_equal(table_consistent_build(table, 1024, many, 0xffff + 1), -EINVAL);
	for (uint32_t entry = 0; entry < MOST_ENTRIES; entry++)
		assert_int_equal(table[entry], 0x5a5a);
	build(table, 1024, fine, 2);
}

/* Each step changes a few slots, from the table of the step before. */
static void changes_equal_builds(void **state)
{
	uint64_t random = 5;

	(void)state;
	for (int history = 0; history < 24; history++) {
		uint32_t slots = 2 + draw(&random, 150), entries = 1024 << draw(&random, 5);

		uint32_t limit = history % 2 ? 2 : 1001;

		draw_weights(&random, weights, slots);
		/* Of equal weights, there are ties. */
		for (uint32_t slot = 0; slot < slots; slot++)
			weights[slot] %= limit;
		build(table, entries, weights, slots);
		for (int step = 0; step < 40; step++) {
			uint32_t many = draw(&random, step % 8 ? 4 : 40);

			memcpy(changed, weights, sizeof(weights));
			while (many--)
				changed[draw(&random, slots)] = draw(&random, 3) ?
									draw(&random, limit) :
									0;
			assert_int_equal(table_consistent_change(table, entries, weights, changed,
								 slots),
					 0);
			build(other, entries, changed, slots);
			assert_memory_equal(table, other, entries * sizeof(*table));
			memcpy(weights, changed, sizeof(weights));
		}
	}
}

/*
 * "table" without the slot, "other" with it, or with less and more of it: all
 * that differs is the slot's in "other". Returns how many do.
 */
static uint32_t moved(const uint32_t *keys, uint32_t n, uint32_t bits, uint16_t slot)
{
	uint32_t count = 0;

	for (uint32_t i = 0; i < n; i++) {
		uint32_t entry = decide_hash(keys[i], 1U << bits);

		assert_true(entry < 1U << bits);
		assert_true(other[entry] != CONSISTENT_NONE);
		if (table[entry] == other[entry])
			continue;
		assert_int_equal(other[entry], slot);
		count++;
	}
	return count;
}

/* It is in a map, which others may have written. */
static void a_damaged_table_is_built_anew(void **state)
{
	enum { ENTRIES = 1 << 10, SLOTS = 8 };

	(void)state;
	for (uint32_t slot = 0; slot < SLOTS; slot++)
		weights[slot] = changed[slot] = 1;
	changed[3] = 2;
	build(expected, ENTRIES, changed, SLOTS);
	for (int odd = 0; odd < 3; odd++) {
		build(table, ENTRIES, weights, SLOTS);
		table[ENTRIES / 2] = (const uint16_t[]){ SLOTS, 0xfffe, CONSISTENT_NONE }[odd];
		assert_int_equal(table_consistent_change(table, ENTRIES, weights, changed, SLOTS),
				 0);
		assert_memory_equal(table, expected, ENTRIES * sizeof(*table));
	}
}

static void leave_and_join_move_only_their_keys(void **state)
{
	enum { KEYS = 100000 };
	uint32_t *keys = allocate(KEYS, sizeof(*keys));
	uint64_t random = 6;

	(void)state;
	for (int i = 0; i < KEYS; i++)
		keys[i] = draw(&random, 0xffffffff);
	for (uint32_t n = 2; n <= 256; n++) {
		uint32_t slot = draw(&random, n), entries = n % 32 ? 1 << 14 : 1 << 17, count;

		for (uint32_t i = 0; i < n; i++)
			weights[i] = changed[i] = 1;
		build(other, entries, weights, n);
		changed[slot] = 0;
		build(table, entries, changed, n);
		count = moved(keys, KEYS, n % 32 ? 14 : 17, slot);
		/* About its share: half of it to twice as much. */
		assert_true(count > KEYS / n / 2 && count < 2 * KEYS / n);
		for (int i = 0; i < KEYS; i++)
			assert_true(table[decide_hash(keys[i], 1U << (n % 32 ? 14 : 17))] != slot);
	}
	free(keys);
}

static void weight_moves_to_or_from_its_slot(void **state)
{
	enum { ENTRIES = 1 << 14 };
	uint32_t *all = allocate(ENTRIES, sizeof(*all));
	uint64_t random = 7;

	(void)state;
	for (uint32_t i = 0; i < ENTRIES; i++)
		all[i] = i;
	for (int i = 0; i < 300; i++) {
		uint32_t slots = 2 + draw(&random, 60), slot = draw(&random, slots);
		uint32_t less = draw(&random, 500), more = less + 1 + draw(&random, 500);

		draw_weights(&random, weights, slots);
		/* Another, so that there is an owner without this one. */
		weights[(slot + 1) % slots] = 10;
		weights[slot] = less;
		build(table, ENTRIES, weights, slots);
		weights[slot] = more;
		build(other, ENTRIES, weights, slots);
		moved(all, ENTRIES, 14, slot);
	}
	free(all);
}

static void count(uint32_t *counts, uint32_t entries)
{
	memset(counts, 0, MOST_SLOTS * sizeof(*counts));
	for (uint32_t entry = 0; entry < entries; entry++) {
		assert_true(table[entry] < MOST_SLOTS);
		counts[table[entry]]++;
	}
}

static void equal_shares_within_a_tenth(void **state)
{
	static uint32_t counts[MOST_SLOTS];
	uint64_t random = 8;

	(void)state;
	for (uint32_t n = 4; n <= 64; n *= 4) {
		for (int set = 0; set < 20; set++) {
			uint32_t due = MOST_ENTRIES / n, taken = 0;

			memset(weights, 0, sizeof(weights));
			while (taken < n) {
				/* The first set is the usual one: 0 to n - 1. */
				uint32_t slot = set ? draw(&random, MOST_SLOTS) : taken;

				taken += !weights[slot];
				weights[slot] = 1;
			}
			build(table, MOST_ENTRIES, weights, MOST_SLOTS);
			count(counts, MOST_ENTRIES);
			for (uint32_t slot = 0; slot < MOST_SLOTS; slot++)
				if (weights[slot])
					assert_in_range(counts[slot], due - due / 10,
							due + due / 10);
		}
	}
}

/*
 * Within five deviations of independent draws, each and the light ones together.
 * Few slots as well, as it takes these to tell one kind of clock from another.
 */
static void weighted_shares(void **state)
{
	static const uint32_t numbers[] = { 2, 3, 8, 64 };
	static uint32_t counts[MOST_SLOTS];
	uint64_t random = 9;

	(void)state;
	for (int i = 0; i < 32; i++) {
		uint32_t slots = numbers[i % 4];
		int64_t light = 0, light_due = 0;
		uint64_t sum = 0;

		for (uint32_t slot = 0; slot < slots; slot++) {
			weights[slot] = i < 16 ? 1 + draw(&random, 1000) : slot % 2 ? 900 : 100;
			sum += weights[slot];
		}
		build(table, MOST_ENTRIES, weights, slots);
		count(counts, MOST_ENTRIES);
		for (uint32_t slot = 0; slot < slots; slot++) {
			int64_t due = weights[slot] * (uint64_t)MOST_ENTRIES / sum;
			int64_t off = counts[slot] - due;

			assert_true(off * off <= 25 * (due + 1));
			if (weights[slot] <= 300) {
				light += off;
				light_due += due;
			}
		}
		assert_true(light * light <= 25 * light_due);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(equals_the_earliest_claims),
		cmocka_unit_test(equals_the_earliest_claims_of_many),
		cmocka_unit_test(known_table),
		cmocka_unit_test(nobody_and_one),
		cmocka_unit_test(not_a_table),
		cmocka_unit_test(changes_equal_builds),
		cmocka_unit_test(a_damaged_table_is_built_anew),
		cmocka_unit_test(leave_and_join_move_only_their_keys),
		cmocka_unit_test(weight_moves_to_or_from_its_slot),
		cmocka_unit_test(equal_shares_within_a_tenth),
		cmocka_unit_test(weighted_shares),
	};

	return cmocka_run_group_tests_name("consistent", tests, NULL, NULL);
}
