/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* The largest remainders against seats that are given away one after the other. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
/* After those four, which it needs. */
#include <cmocka.h>

#include "claims.h"
#include "policy/apportion.h"

#define MOST 32768

static uint32_t counts[MOST], weights[MOST], expected[MOST];
/* Of the due, in parts of 1 / all weight; -1 once it has been rounded up. */
static int64_t rest[MOST];

static void reference(uint32_t total, uint32_t n)
{
	uint64_t sum = 0, given = 0;

	for (uint32_t i = 0; i < n; i++)
		sum += weights[i];
	for (uint32_t i = 0; i < n; i++) {
		uint64_t due = (uint64_t)total * weights[i];

		for (expected[i] = sum ? due / sum : 0; sum && expected[i] * sum > due;)
			expected[i]--;
		rest[i] = due - expected[i] * sum;
		given += expected[i];
	}
	for (; sum && given < total; given++) {
		uint32_t most = 0;

		for (uint32_t i = 1; i < n; i++)
			if (rest[i] > rest[most])
				most = i;
		expected[most]++;
		rest[most] = -1;
	}
}

static void compare(uint32_t total, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++)
		counts[i] = 0xdeadbeef;
	apportion(counts, total, weights, n);
	reference(total, n);
	assert_memory_equal(counts, expected, n * sizeof(*counts));
}

static void set(uint32_t n, const uint32_t *values)
{
	for (uint32_t i = 0; i < n; i++)
		weights[i] = values[i];
}

/* Worked out by hand. Hamilton's own: 10 seats, 6 : 6 : 2, and its paradox at 11. */
static void known(void **state)
{
	static const uint32_t three[] = { 6, 6, 2 }, ten[] = { 4, 4, 2 }, eleven[] = { 5, 5, 1 };
	static const uint32_t equal[] = { 7, 7, 7, 7 }, eighteen[] = { 5, 5, 4, 4 };

	(void)state;
	set(3, three);
	apportion(counts, 10, weights, 3);
	assert_memory_equal(counts, ten, sizeof(ten));
	apportion(counts, 11, weights, 3);
	assert_memory_equal(counts, eleven, sizeof(eleven));
	set(4, equal);
	apportion(counts, 18, weights, 4);
	assert_memory_equal(counts, eighteen, sizeof(eighteen));
}

static void small(void **state)
{
	uint64_t random = 1;

	(void)state;
	for (int i = 0; i < 20000; i++) {
		uint32_t n = 1 + draw(&random, 9), limit = i % 2 ? 4 : 1001;

		for (uint32_t k = 0; k < n; k++)
			weights[k] = draw(&random, limit);
		compare(draw(&random, 60), n);
	}
}

static void large(void **state)
{
	uint64_t random = 2;

	(void)state;
	for (int i = 0; i < 60; i++) {
		uint32_t n = 1 + draw(&random, 800);

		for (uint32_t k = 0; k < n; k++)
			weights[k] = draw(&random, 8) ? draw(&random, 1001) : 0;
		compare(1U << (10 + draw(&random, 11)), n);
	}
}

/* As much of all as there can be; no sum may overflow. */
static void largest(void **state)
{
	uint64_t sum = 0;

	(void)state;
	for (uint32_t i = 0; i < MOST; i++)
		weights[i] = 1000;
	apportion(counts, 1 << 20, weights, MOST);
	for (uint32_t i = 0; i < MOST; i++)
		assert_int_equal(counts[i], 32);
	weights[MOST - 1] = 1;
	apportion(counts, 1 << 20, weights, MOST);
	for (uint32_t i = 0; i < MOST; i++) {
		/* The dues are 32.001 and 0.032; of 32 that are left, it gets one. */
		assert_int_equal(counts[i], i == MOST - 1 ? 1 : i < 31 ? 33 : 32);
		sum += counts[i];
	}
	assert_int_equal(sum, 1 << 20);
}

static void no_weight(void **state)
{
	(void)state;
	for (uint32_t i = 0; i < 5; i++)
		weights[i] = 0;
	compare(1024, 5);
	apportion(counts, 1024, weights, 0);
	weights[3] = 1;
	compare(1024, 5);
	assert_int_equal(counts[3], 1024);
	compare(0, 5);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(known),   cmocka_unit_test(small),     cmocka_unit_test(large),
		cmocka_unit_test(largest), cmocka_unit_test(no_weight),
	};

	return cmocka_run_group_tests_name("apportion", tests, NULL, NULL);
}
