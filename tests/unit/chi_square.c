/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* Chi-square: the limit against tables, even and uneven counts, and how often chance alone is
 * taken for more. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* After those four, which it needs. */
#include <cmocka.h>

#include "doctor/chi_square.h"
#include "random.h"

/* As tables have it, for p = 0.001. */
static void limits(void **unused)
{
	static const struct {
		size_t freedom;
		double limit;
	} known[] = { { 1, 10.828 },  { 2, 13.816 },  { 3, 16.266 },   { 5, 20.515 },
		      { 10, 29.588 }, { 30, 59.703 }, { 100, 149.449 } };

	(void)unused;
	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
		double got = chi_square_limit(known[i].freedom);

		assert_true(got > known[i].limit * 0.99 && got < known[i].limit * 1.04);
	}
}

static void even_and_uneven(void **unused)
{
	static const unsigned int weights[] = { 1, 1, 2 };
	struct chi_square test;

	(void)unused;
	chi_square_test((uint64_t[]){ 250, 250, 500 }, weights, 3, &test);
	assert_int_equal(test.events, 1000);
	assert_true(test.statistic == 0 && test.worst == 0);
	chi_square_test((uint64_t[]){ 0, 500, 500 }, weights, 3, &test);
	assert_true(test.statistic == 500 && test.statistic > test.limit);
	assert_true(test.worst == 1 && test.worst_index == 0);
	chi_square_test((uint64_t[]){ 0, 0, 0 }, weights, 3, &test);
	assert_true(test.events == 0 && test.statistic == 0);
	chi_square_test((uint64_t[]){ 10, 20 }, (unsigned int[]){ 0, 1 }, 2, &test);
	assert_true(test.limit > 10);
}

/* Of 20,000 fair draws some 20 exceed the limit. */
static void chance(void **unused)
{
	static const unsigned int weights[] = { 1, 1, 1, 1 };
	uint64_t state = 1;
	struct chi_square test;
	int exceeded = 0;

	(void)unused;
	for (int round = 0; round < 20000; round++) {
		uint64_t counts[4] = { 0 };

		for (int i = 0; i < 1000; i++)
			counts[next_hash(&state) >> 30]++;
		chi_square_test(counts, weights, 4, &test);
		exceeded += test.statistic > test.limit;
	}
	assert_in_range(exceeded, 5, 45);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(limits),
		cmocka_unit_test(even_and_uneven),
		cmocka_unit_test(chance),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
