/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* Policy "least-queue": who is looked at, and who wins. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
/* After those four, which it needs. */
#include <cmocka.h>

#include "decide/least_queue.h"
#include "random.h"

#define MANY 4096

static void a_few_are_all_looked_at_once(void **state)
{
	static const uint32_t edges[] = { 0, 1, 0x7fffffff, 0x80000000, 0xfffffffe, 0xffffffff };
	uint64_t seed = 2;

	(void)state;
	for (uint32_t n = 1; n <= LEAST_QUEUE_SCAN; n++) {
		assert_int_equal(least_queue_looks(n), n);
		for (int round = 0; round < 20000; round++) {
			uint32_t hash = round < 6 ? edges[round] : next_hash(&seed), seen = 0;

			for (uint32_t i = 0; i < n; i++) {
				uint32_t index = least_queue_index(hash, n, i);

				assert_true(index < n);
				assert_false(seen >> index & 1);
				seen |= 1u << index;
			}
		}
	}
}

static void of_many_two_different_ones(void **state)
{
	uint64_t seed = 4;

	(void)state;
	for (uint32_t n = LEAST_QUEUE_SCAN + 1; n <= MANY; n += n < 100 ? 1 : 131) {
		assert_int_equal(least_queue_looks(n), 2);
		for (int round = 0; round < 3000; round++) {
			uint32_t hash = round ? next_hash(&seed) : 0xffffffff;
			uint32_t a = least_queue_index(hash, n, 0);
			uint32_t b = least_queue_index(hash, n, 1);

			assert_true(a < n && b < n);
			assert_int_not_equal(a, b);
		}
	}
}

/* Every pair is as likely as any other. */
static void all_pairs_are_looked_at(void **state)
{
	enum { N = 12, PER_PAIR = 2000 };
	uint32_t pairs[N][N] = { 0 };
	uint64_t seed = 6;

	(void)state;
	for (int i = 0; i < N * (N - 1) * PER_PAIR; i++) {
		uint32_t hash = next_hash(&seed);

		pairs[least_queue_index(hash, N, 0)][least_queue_index(hash, N, 1)]++;
	}
	for (int a = 0; a < N; a++)
		for (int b = 0; b < N; b++)
			assert_in_range(pairs[a][b], a == b ? 0 : PER_PAIR - 5 * 45,
					a == b ? 0 : PER_PAIR + 5 * 45);
}

static uint32_t first_slot;

/* As the program does it, over n workers in the slots from first_slot on. */
static uint32_t winner(uint32_t hash, const uint32_t *queues, uint32_t n)
{
	uint64_t best = LEAST_QUEUE_NONE;

	for (uint32_t i = 0; i < least_queue_looks(n); i++) {
		uint32_t index = least_queue_index(hash, n, i);
		uint64_t rank = least_queue_rank(queues[index], hash, first_slot + index);

		if (rank < best)
			best = rank;
	}
	return least_queue_slot(best) - first_slot;
}

static void the_shortest_wins(void **state)
{
	uint64_t seed = 8;

	(void)state;
	for (int round = 0; round < 50000; round++) {
		uint32_t n = 1 + next_hash(&seed) % LEAST_QUEUE_SCAN, queues[8], least = UINT32_MAX;

		for (uint32_t i = 0; i < n; i++) {
			queues[i] = next_hash(&seed) >> next_hash(&seed) % 32;
			least = queues[i] < least ? queues[i] : least;
		}
		assert_int_equal(queues[winner(next_hash(&seed), queues, n)], least);
	}
}

static void the_shorter_of_two_wins(void **state)
{
	uint64_t seed = 9;
	uint32_t queues[100];

	(void)state;
	for (int i = 0; i < 100; i++)
		queues[i] = next_hash(&seed) % 50;
	for (int round = 0; round < 20000; round++) {
		uint32_t hash = next_hash(&seed);
		uint32_t a = queues[least_queue_index(hash, 100, 0)];
		uint32_t b = queues[least_queue_index(hash, 100, 1)];

		assert_int_equal(queues[winner(hash, queues, 100)], a < b ? a : b);
	}
}

/* Whichever workers have the shortest queue, each gets the same share. */
static void ties_are_fair(void **state)
{
	enum { EACH = 4000 };
	uint64_t seed = 10;

	first_slot = *(const uint32_t *)*state;
	for (uint32_t n = 1; n <= LEAST_QUEUE_SCAN; n++)
		for (uint32_t equal = 1; equal < 1u << n; equal++) {
			uint32_t queues[8], got[8] = { 0 }, members = __builtin_popcount(equal);

			for (uint32_t i = 0; i < n; i++)
				queues[i] = equal >> i & 1 ? 3 : 4 + i;
			for (uint32_t i = 0; i < members * EACH; i++)
				got[winner(next_hash(&seed), queues, n)]++;
			for (uint32_t i = 0; i < n; i++) {
				uint32_t due = equal >> i & 1 ? EACH : 0;

				/* Six deviations. */
				if (abs((int)(got[i] - due)) > (due ? 380 : 0))
					fail_msg("of %u with equal ones 0x%x, %u got %u of %u", n,
						 equal, i, got[i], members * EACH);
			}
		}
}

static void ties_of_many_are_fair(void **state)
{
	enum { N = 50, EACH = 4000 };
	uint32_t queues[N] = { 0 }, got[N] = { 0 };
	uint64_t seed = 11;

	(void)state;
	for (int i = 0; i < N * EACH; i++)
		got[winner(next_hash(&seed), queues, N)]++;
	for (int i = 0; i < N; i++)
		assert_in_range(got[i], EACH - 5 * 64, EACH + 5 * 64);
}

static void ranks(void **state)
{
	uint64_t seed = 12;

	(void)state;
	assert_int_equal(least_queue_slot(LEAST_QUEUE_NONE), TABLE_NO_WORKER);
	for (uint32_t slot = 0; slot < 32768; slot++)
		for (int i = 0; i < 20; i++) {
			uint64_t rank = least_queue_rank(UINT32_MAX, next_hash(&seed), slot);

			assert_true(rank < LEAST_QUEUE_NONE);
			assert_int_equal(least_queue_slot(rank), slot);
			assert_true(least_queue_rank(1, next_hash(&seed), slot) <
				    least_queue_rank(2, next_hash(&seed), 32767 - slot));
		}
}

int main(void)
{
	static uint32_t first_slots[] = { 0, 100, 32760 };
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_few_are_all_looked_at_once),
		cmocka_unit_test(of_many_two_different_ones),
		cmocka_unit_test(all_pairs_are_looked_at),
		cmocka_unit_test(the_shortest_wins),
		cmocka_unit_test(the_shorter_of_two_wins),
		cmocka_unit_test_prestate(ties_are_fair, &first_slots[0]),
		cmocka_unit_test_prestate(ties_are_fair, &first_slots[1]),
		cmocka_unit_test_prestate(ties_are_fair, &first_slots[2]),
		cmocka_unit_test(ties_of_many_are_fair),
		cmocka_unit_test(ranks),
	};

	return cmocka_run_group_tests_name("least_queue", tests, NULL, NULL);
}
