/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* Random streams: the numbers of each are fixed by the seed, spread evenly, and not those
 * of another stream, seed or place. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
/* After those four, which it needs. */
#include <cmocka.h>

#include "simulate/random_stream.h"

#define STREAMS (STREAM_RECEIVE + 1)

/* SplitMix64 as in its paper: a state that each step adds to, and a finalizer. */
static uint64_t splitmix(uint64_t seed, uint64_t steps)
{
	uint64_t state = seed + steps * 0x9e3779b97f4a7c15, z = state;

	z ^= z >> 30;
	z *= 0xbf58476d1ce4e5b9;
	z ^= z >> 27;
	z *= 0x94d049bb133111eb;
	return z ^ z >> 31;
}

/* An output of the generator from seed 0, by number. */
static uint64_t mixed(uint64_t i)
{
	return splitmix(0, i + 1);
}

static void by_the_definition(void **state)
{
	(void)state;
	/* The first outputs that the reference implementation prints for seed 0. */
	assert_true(mixed(0) == 0xe220a8397b1dcdaf);
	assert_true(mixed(1) == 0x6e789e6aa1b965f4);
	for (uint64_t seed = 0; seed < 20; seed++)
		for (unsigned int stream = 0; stream < STREAMS; stream++)
			for (uint64_t i = 0; i < 20; i++)
				assert_true(random_number(seed, stream, i) ==
					    mixed(mixed(mixed(seed) + stream) + i));
}

/* Each bit is set in half of the numbers, and equals the same bit of another stream, of
 * another seed and of the next number in half of them. */
static void bits_are_even(void **state)
{
	enum { N = 20000 };
	unsigned int set[64] = { 0 }, as_stream[64] = { 0 }, as_seed[64] = { 0 },
		     as_next[64] = { 0 };

	(void)state;
	for (uint64_t i = 0; i < N; i++) {
		uint64_t number = random_number(1, STREAM_PORT, i);
		uint64_t stream = ~(number ^ random_number(1, STREAM_POLICY, i));
		uint64_t seed = ~(number ^ random_number(2, STREAM_PORT, i));
		uint64_t next = ~(number ^ random_number(1, STREAM_PORT, i + 1));

		for (int bit = 0; bit < 64; bit++) {
			set[bit] += number >> bit & 1;
			as_stream[bit] += stream >> bit & 1;
			as_seed[bit] += seed >> bit & 1;
			as_next[bit] += next >> bit & 1;
		}
	}
	/* Five standard deviations; the numbers are always the same. */
	for (int bit = 0; bit < 64; bit++) {
		assert_in_range(set[bit], N / 2 - 354, N / 2 + 354);
		assert_in_range(as_stream[bit], N / 2 - 354, N / 2 + 354);
		assert_in_range(as_seed[bit], N / 2 - 354, N / 2 + 354);
		assert_in_range(as_next[bit], N / 2 - 354, N / 2 + 354);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(by_the_definition),
		cmocka_unit_test(bits_are_even),
	};

	return cmocka_run_group_tests_name("random_stream", tests, NULL, NULL);
}
