/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * The pure decisions against references that are written in another way, and
 * their distribution.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
/* After those four, which it needs. */
#include <cmocka.h>

#include "decide/hash.h"
#include "decide/linux39.h"
#include "random.h"

#define MAX_MEMBERS 4096

typedef uint32_t (*decide_fn)(uint32_t hash, uint32_t n);

/*
 * The pick of 4.5, by division: the hash space, cut into n equal ranges.
 * Member i has the hashes from ceil(i * 2^32 / n) on.
 */
static uint32_t reference_hash(uint32_t hash, uint32_t n)
{
	unsigned __int128 space = (unsigned __int128)1 << 32;
	uint32_t low = 0, high = n - 1;

	while (low < high) {
		uint32_t middle = low + (high - low + 1) / 2;
		unsigned __int128 first = (middle * space + n - 1) / n;

		if (hash >= first)
			low = middle;
		else
			high = middle - 1;
	}
	return low;
}

/* The walk of 3.9, as __inet_lookup_listener() has it, over n equal scores. */
static uint32_t reference_linux39(uint32_t hash, uint32_t n)
{
	uint32_t result = 0, phash = 0;
	int matches = 0, hiscore = 0, reuseport = 0;

	for (uint32_t sk = 0; sk < n; sk++) {
		int score = 1;

		if (score > hiscore) {
			result = sk;
			hiscore = score;
			reuseport = 1;
			phash = hash;
			matches = 1;
		} else if (score == hiscore && reuseport) {
			matches++;
			if (((uint64_t)phash * matches) >> 32 == 0)
				result = sk;
			phash = phash * 1664525 + 1013904223;
		}
	}
	return result;
}

static void compare(decide_fn decide, decide_fn reference)
{
	static const uint32_t hashes[] = { 0, 1, 0x7fffffff, 0x80000000, 0xfffffffe, 0xffffffff };
	uint64_t state = 39;

	for (uint32_t n = 1; n <= MAX_MEMBERS; n += n < 130 ? 1 : 97) {
		for (size_t i = 0; i < sizeof(hashes) / sizeof(hashes[0]); i++)
			assert_int_equal(decide(hashes[i], n), reference(hashes[i], n));
		for (int i = 0; i < 500; i++) {
			uint32_t hash = next_hash(&state);

			assert_int_equal(decide(hash, n), reference(hash, n));
		}
	}
}

/* Each of n members gets its share of many hashes, within five deviations. */
static void distribute(decide_fn decide)
{
	enum { PER_MEMBER = 4000 };
	uint64_t state = 45;

	for (uint32_t n = 1; n <= 64; n++) {
		uint32_t got[64] = { 0 };
		double share = PER_MEMBER, tolerance = 5 * 63.25; /* 5 * sqrt(share) */

		for (uint32_t i = 0; i < n * PER_MEMBER; i++) {
			uint32_t pick = decide(next_hash(&state), n);

			assert_true(pick < n);
			got[pick]++;
		}
		for (uint32_t i = 0; i < n; i++) {
			if (got[i] < share - tolerance || got[i] > share + tolerance)
				fail_msg("member %u of %u got %u of %u", i, n, got[i],
					 n * PER_MEMBER);
		}
	}
}

static void bounds(decide_fn decide)
{
	uint64_t state = 1;

	assert_int_equal(decide(0, 1), 0);
	assert_int_equal(decide(0xffffffff, 1), 0);
	assert_true(decide(0, MAX_MEMBERS) < MAX_MEMBERS);
	assert_true(decide(0xffffffff, MAX_MEMBERS) < MAX_MEMBERS);
	for (int i = 0; i < 100000; i++)
		assert_true(decide(next_hash(&state), MAX_MEMBERS) < MAX_MEMBERS);
}

static void hash_equals_division(void **state)
{
	(void)state;
	compare(decide_hash, reference_hash);
}

static void hash_at_the_edges_of_each_range(void **state)
{
	(void)state;
	for (uint64_t n = 1; n <= MAX_MEMBERS; n += n < 70 ? 1 : 61) {
		for (uint64_t i = 1; i < n; i++) {
			uint32_t first = ((i << 32) + n - 1) / n;

			assert_int_equal(decide_hash(first, n), i);
			assert_int_equal(decide_hash(first - 1, n), i - 1);
		}
	}
}

static void hash_first_and_last(void **state)
{
	(void)state;
	bounds(decide_hash);
	assert_int_equal(decide_hash(0, MAX_MEMBERS), 0);
	assert_int_equal(decide_hash(0xffffffff, MAX_MEMBERS), MAX_MEMBERS - 1);
}

static void hash_shares_are_equal(void **state)
{
	(void)state;
	distribute(decide_hash);
}

static void linux39_equals_the_walk(void **state)
{
	(void)state;
	compare(decide_linux39, reference_linux39);
}

/* Worked out by hand: hash 0 passes at the second member, then walks on. */
static void linux39_known_picks(void **state)
{
	(void)state;
	assert_int_equal(linux39_next(0), 1013904223);
	assert_int_equal(decide_linux39(0, 2), 1);
	assert_int_equal(decide_linux39(0x7fffffff, 2), 1);
	assert_int_equal(decide_linux39(0x80000000, 2), 0);
	/* 1013904223 * 3 < 2^32: the third takes over as well. */
	assert_int_equal(decide_linux39(0, 3), 2);
}

static void linux39_first_and_last(void **state)
{
	(void)state;
	bounds(decide_linux39);
}

static void linux39_shares_are_equal(void **state)
{
	(void)state;
	distribute(decide_linux39);
}

/* More members than the walk looks at: the others get nothing. */
static void linux39_beyond_the_walk(void **state)
{
	uint64_t random = 7;

	(void)state;
	for (int i = 0; i < 1000; i++) {
		uint32_t hash = next_hash(&random);

		assert_int_equal(decide_linux39(hash, 32768),
				 decide_linux39(hash, LINUX39_MAX_WALK));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(hash_equals_division),
		cmocka_unit_test(hash_at_the_edges_of_each_range),
		cmocka_unit_test(hash_first_and_last),
		cmocka_unit_test(hash_shares_are_equal),
		cmocka_unit_test(linux39_equals_the_walk),
		cmocka_unit_test(linux39_known_picks),
		cmocka_unit_test(linux39_first_and_last),
		cmocka_unit_test(linux39_shares_are_equal),
		cmocka_unit_test(linux39_beyond_the_walk),
	};

	return cmocka_run_group_tests_name("decide", tests, NULL, NULL);
}
