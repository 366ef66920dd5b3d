// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* CPU pick: whom the kernel itself picks in a group, by SO_INCOMING_CPU. Expected results are
 * worked out by hand from reuseport_select_sock_by_hash() of Linux 6.12. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
/* After those four, which it needs. */
#include <cmocka.h>

#include "sockets/cpu_pick.h"

#define N 4

static const int32_t cpus_of_members[N] = { 0, 1, -1, 0 };

/* Compare the probabilities, in hundredths of a percent. */
static void shares(enum cpu_pick pick, int cpu, unsigned int cpus, size_t same,
		   const int expected[N])
{
	double probability[N];

	assert_int_equal(cpu_pick_share(pick, cpus_of_members, N, cpu, cpus, probability), same);
	for (size_t i = 0; i < N; i++)
		assert_int_equal(probability[i] * 10000 + 0.5, expected[i]);
}

static void by_cpu(void **state)
{
	(void)state;
	shares(CPU_PICK_CPU, 1, 4, 1, (const int[]){ 0, 10000, 0, 0 });
	shares(CPU_PICK_CPU, 0, 4, 2, (const int[]){ 5000, 0, 0, 5000 });
	/* Nobody has it: all. -1 is nobody's CPU. */
	shares(CPU_PICK_CPU, 2, 4, 0, (const int[]){ 2500, 2500, 2500, 2500 });
}

static void on_any_cpu(void **state)
{
	(void)state;
	shares(CPU_PICK_CPU, -1, 2, 0, (const int[]){ 2500, 5000, 0, 2500 });
	shares(CPU_PICK_CPU, -1, 4, 0, (const int[]){ 2500, 3750, 1250, 2500 });
	shares(CPU_PICK_CPU, -1, 1, 0, (const int[]){ 5000, 0, 0, 5000 });
}

static void by_hash(void **state)
{
	(void)state;
	shares(CPU_PICK_HASH, 1, 4, 0, (const int[]){ 2500, 2500, 2500, 2500 });
	shares(CPU_PICK_UNKNOWN, -1, 4, 0, (const int[]){ 2500, 2500, 2500, 2500 });
}

static void of_a_group(void **state)
{
	struct group_member list[] = { { .cookie = 1, .cpu = 3, .user_data = MEMBER_BY_CPU | 3 },
				       { .cookie = 2, .cpu = -1, .user_data = MEMBER_BY_HASH },
				       { .cookie = 3, .cpu = 5, .user_data = 3 } };
	struct group_members members = { .kernel = { .members = list, .n = 3 } };

	(void)state;
	assert_int_equal(cpu_pick_of_group(&members, 1), CPU_PICK_CPU);
	assert_int_equal(cpu_pick_of_group(&members, 2), CPU_PICK_HASH);
	/* Old iterators, or none. */
	assert_int_equal(cpu_pick_of_group(&members, 3), CPU_PICK_UNKNOWN);
	assert_int_equal(cpu_pick_of_group(&members, 4), CPU_PICK_UNKNOWN);
	assert_int_equal(cpu_pick_of_socket(&members, 1), 3);
	assert_int_equal(cpu_pick_of_socket(&members, 2), -1);
	assert_int_equal(cpu_pick_of_socket(&members, 4), -1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(by_cpu),
		cmocka_unit_test(on_any_cpu),
		cmocka_unit_test(by_hash),
		cmocka_unit_test(of_a_group),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
