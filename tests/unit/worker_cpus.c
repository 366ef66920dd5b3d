// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* Worker CPUs: which CPUs a worker is for, and whether a table makes a difference by them. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "state/worker_cpus.h"

#define PID 7

int __wrap_cpus_of_process(uint32_t pid, struct cpus *set);
int __wrap_cpus_of_process(uint32_t pid, struct cpus *set)
{
	*set = (struct cpus){ .words = { pid == PID ? 0xf0 : 0 } };
	return pid == PID ? 0 : -ESRCH;
}

static uint64_t found(uint32_t pid, int32_t incoming_cpu, unsigned int cpus)
{
	struct cpus set = { .words = { 0xff, 0xff } };

	assert_int_equal(worker_cpus_find(pid, incoming_cpu, cpus, &set), 0);
	assert_int_equal(set.words[1], 0);
	return set.words[0];
}

static void set_or_affinity(void **state)
{
	struct cpus set;

	(void)state;
	assert_int_equal(found(PID, 2, 8), 1 << 2);
	assert_int_equal(found(PID, 0, 8), 1 << 0);
	assert_int_equal(found(PID, 7, 8), 1 << 7);
	/* Not set, or to what this host does not have. */
	assert_int_equal(found(PID, -1, 8), 0xf0);
	assert_int_equal(found(PID, 8, 8), 0xf0);
	assert_int_equal(found(PID, INT32_MAX, 8), 0xf0);
	assert_int_equal(found(PID, INT32_MIN, 8), 0xf0);
	assert_int_equal(found(PID, CPUS_MAX, CPUS_MAX + 1), 0xf0);
	/* The process is not asked for where the socket says it. */
	assert_int_equal(found(0, 2, 8), 1 << 2);
	assert_int_equal(worker_cpus_find(PID + 1, -1, 8, &set), -ESRCH);
	/* Not known. */
	assert_int_equal(found(0, -1, 8), 0xff);
}

static void rows(void **state)
{
	/* Three rows of two, and one of all workers. */
	uint16_t entries[] = { 0, 1, 0, 1, 0, 1, 2, 2 };

	(void)state;
	assert_true(worker_cpus_rows_equal(entries, 3, 2));
	assert_true(worker_cpus_rows_equal(entries, 1, 2));
	assert_false(worker_cpus_rows_equal(entries, 4, 2));
	entries[5] = 0;
	assert_false(worker_cpus_rows_equal(entries, 3, 2));
	assert_true(worker_cpus_rows_equal(entries, 2, 2));
	/* One worker is the same everywhere, and needs no warning. */
	assert_false(worker_cpus_rows_equal(entries + 6, 1, 2));
	assert_false(worker_cpus_rows_equal(entries, 1, 1));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(set_or_affinity),
		cmocka_unit_test(rows),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
