/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * Publishing case by case: what must be published although the table is as before, the
 * wait for runs of the program, failures, and the order of writes.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
/* After those four, which it needs. */
#include <cmocka.h>

#include <signal.h>
#include <sys/mman.h>
#include <unistd.h>

#include "plain_maps.h"
#include "state/apply_policy.h"

static struct plan_spec spec_of(enum steering_policy policy, unsigned int flags)
{
	return (struct plan_spec){ .plan = { .policy = policy, .flags = flags } };
}

/* Even where all zeros is what is wanted. */
static void the_first_one_is_published(void **state)
{
	struct plan_spec want = spec_of(POLICY_HASH, 0);

	(void)state;
	assert_int_equal(publish(&want), 1);
	assert_int_equal(publish(&want), 0);
	assert_int_equal(at.view.control->epoch, 1);
}

/* The kernel's own selection knows no weights, but it does not know "none" either. */
static void the_kernel_selects_until_a_worker_has_no_weight(void **state)
{
	struct plan_spec want = spec_of(POLICY_HASH, 0);

	(void)state;
	seat(0, 1);
	seat(1, 1);
	assert_int_equal(publish(&want), 1);
	assert_int_equal(plan_in_use(&at.view)->width, 0);
	at.view.workers[1].weight = 7;
	assert_int_equal(publish_workers(&at, NULL), 0);
	seat(2, 1);
	assert_int_equal(publish_workers(&at, NULL), 0);
	at.view.workers[1].weight = 0;
	assert_int_equal(publish_workers(&at, NULL), 1);
	assert_int_equal(plan_in_use(&at.view)->width, 2);
	assert_true(plan_in_use(&at.view)->flags & PLAN_GUARDED);
	at.view.workers[1].weight = 1;
	assert_int_equal(publish_workers(&at, NULL), 1);
	assert_int_equal(plan_in_use(&at.view)->width, 0);
	assert_false(plan_in_use(&at.view)->flags & PLAN_GUARDED);
}

/* The table is as before, but what is known about the workers is not. */
static void a_guard_alone_is_published(void **state)
{
	struct plan_spec want = spec_of(POLICY_CPU, 0);

	(void)state;
	seat(0, 1);
	assert_int_equal(publish(&want), 1);
	seat(1, 0);
	assert_int_equal(publish(&want), 1);
	assert_true(plan_in_use(&at.view)->flags & PLAN_GUARDED);
	sockets[1] = 0;
	assert_int_equal(publish(&want), 1);
	assert_false(plan_in_use(&at.view)->flags & PLAN_GUARDED);
}

/* Two workers, each on a CPU of its own. */
static void seat_two_apart(void)
{
	for (unsigned int slot = 0; slot < 2; slot++) {
		seat(slot, 1);
		affinity[slot] = (struct cpus){ .words = { 1 << slot } };
	}
}

static void affinity_is_followed(void **state)
{
	struct plan_spec want = spec_of(POLICY_CPU, 0);

	(void)state;
	seat_two_apart();
	assert_int_equal(publish(&want), 1);
	assert_int_equal(publish_workers(&at, NULL), 0);
	affinity[0].words[0] = 1 << 1;
	assert_int_equal(publish_workers(&at, NULL), 1);
	/* On a node of its own a worker has all of its CPUs. */
	affinity[0].words[0] = 1 << 0;
	assert_int_equal(publish_workers(&at, NULL), 1);
	affinity[0].words[0] = 1 << 2;
	assert_int_equal(publish_workers(&at, NULL), 0);
}

static void incoming_cpu_is_followed(void **state)
{
	struct plan_spec want = spec_of(POLICY_CPU, 0);

	(void)state;
	seat_two_apart();
	assert_int_equal(publish(&want), 1);
	/* As by the affinity. */
	incoming[0] = 0;
	assert_int_equal(publish_workers(&at, NULL), 0);
	incoming[0] = 1;
	assert_int_equal(publish_workers(&at, NULL), 1);
	/* That is no CPU: by the affinity again. */
	incoming[0] = CPUS;
	assert_int_equal(publish_workers(&at, NULL), 1);
	incoming[0] = -1;
	assert_int_equal(publish_workers(&at, NULL), 0);
	/* A map that is given says it all. */
	at.view.cpu_map[0] = (struct given_cpu){ .given = 1, .slot = 1 };
	want = spec_of(POLICY_CPU, PLAN_GIVEN_CPUS);
	assert_int_equal(publish(&want), 1);
	incoming[0] = 3;
	assert_int_equal(publish_workers(&at, NULL), 0);
}

/* The row of all workers is the only one that differs, and its width does not. */
static void the_last_row_counts(void **state)
{
	struct plan_spec want = spec_of(POLICY_CPU, 0);

	(void)state;
	for (unsigned int cpu = 0; cpu < CPUS; cpu++) {
		seat(cpu, 1);
		affinity[cpu] = (struct cpus){ .words = { 1 << cpu } };
	}
	seat(CPUS, 1);
	assert_int_equal(publish(&want), 1);
	sockets[CPUS] = 0;
	seat(CPUS + 1, 1);
	assert_int_equal(publish_workers(&at, NULL), 1);
	assert_int_equal(publish_workers(&at, NULL), 0);
}

static void waits_before_it_writes(void **state)
{
	struct plan_spec want = spec_of(POLICY_CONSISTENT, 0);

	(void)state;
	seat(0, 1);
	assert_int_equal(publish(&want), 1);
	assert_int_equal(syncs, 0); /* nothing was in use */
	publish_synchronize(&at, false);
	assert_int_equal(syncs, 1);
	publish_synchronize(&at, false);
	assert_int_equal(syncs, 1);
	publish_synchronize(&at, true);
	assert_int_equal(syncs, 2);
	seat(1, 1);
	assert_int_equal(publish(&want), 1);
	assert_int_equal(syncs, 2); /* that has been waited for */
	seat(2, 1);
	assert_int_equal(publish(&want), 1);
	assert_int_equal(syncs, 3);
}

static void a_failure_changes_nothing(void **state)
{
	static const struct reuseport_policy_opts words = { .sz = sizeof(words),
							    .policy = "cpu",
							    .cpu_map = "0-3:0" };
	struct plan_spec want = spec_of(POLICY_CONSISTENT, 0), other = spec_of(POLICY_RANDOM, 0);
	struct given_cpu cpu_map[CPUS];
	struct reuseport_error err;

	(void)state;
	seat(0, 1);
	seat(1, 1);
	assert_int_equal(publish(&want), 1);
	at.view.cpu_map[5] = (struct given_cpu){ 1, 1 };
	memcpy(cpu_map, at.view.cpu_map, sizeof(cpu_map));
	snapshot();
	compile_fails = true;
	assert_int_equal(publish_plan(&at, &other, &err), -ENOMEM);
	assert_int_equal(err.code, ENOMEM);
	assert_int_equal(at.view.control->epoch, 1);
	unchanged_half(1);
	assert_int_equal(apply_policy(&at, &words, NULL, &err), -ENOMEM);
	assert_memory_equal(at.view.cpu_map, cpu_map, sizeof(cpu_map));
	compile_fails = false;
	assert_int_equal(apply_policy(&at, &words, NULL, &err), 1);
	assert_memory_not_equal(at.view.cpu_map, cpu_map, sizeof(cpu_map));
}

/* ---------------------------------------------------------- the switch itself */

/* The plan and the half that come into use, at the moment at which they do. */
static uint16_t *half_at_switch;
static struct plan plan_at_switch;
static bool switched;

/* The epoch cannot be written: note what there is, and let it be written. */
static void on_fault(int number, siginfo_t *info, void *context)
{
	unsigned int next = (at.view.control->epoch + 1) % 2;
	long page = sysconf(_SC_PAGESIZE);

	(void)context;
	if (switched || info->si_addr != &at.view.control->epoch) {
		signal(number, SIG_DFL);
		return;
	}
	switched = true;
	memcpy(half_at_switch, at.view.table + next * words_of_half(),
	       words_of_half() * sizeof(uint16_t));
	plan_at_switch = at.view.control->plan[next];
	mprotect((char *)&at.view.control->plan - page, page, PROT_READ | PROT_WRITE);
}

/* Lay "control" over two pages, so that the epoch is in the first and the plans are in
 * the second. */
static int begin_split(void **state)
{
	size_t page = sysconf(_SC_PAGESIZE);
	char *pages = mmap(NULL, 2 * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1,
			   0);

	assert_true(pages != MAP_FAILED);
	begin(state);
	free(at.view.control);
	at.view.control = (void *)(pages + page - offsetof(struct control, plan));
	half_at_switch = calloc(words_of_half(), sizeof(uint16_t));
	return 0;
}

static int end_split(void **state)
{
	size_t page = sysconf(_SC_PAGESIZE);

	munmap((char *)&at.view.control->plan - page, 2 * page);
	at.view.control = NULL;
	free(half_at_switch);
	return end(state);
}

static void publish_and_note(const struct plan_spec *want)
{
	struct sigaction action = { .sa_sigaction = on_fault, .sa_flags = SA_SIGINFO }, before;
	size_t page = sysconf(_SC_PAGESIZE);

	publish_synchronize(&at, false);
	switched = false;
	sigaction(SIGSEGV, &action, &before);
	mprotect((char *)&at.view.control->plan - page, page, PROT_READ);
	assert_int_equal(publish(want), 1);
	sigaction(SIGSEGV, &before, NULL);
	assert_true(switched);
}

/* Nothing that comes into use is written after that. */
static void the_epoch_is_stored_last(void **state)
{
	(void)state;
	for (uint32_t i = 1; i < 40; i++) {
		struct plan_spec want = spec_of(i % (POLICY_LINUX39 + 1), 0);
		uint32_t half;

		want.generations.latest = i;
		for (unsigned int slot = 0; slot < SLOTS; slot++)
			seat(slot, (slot + i) % 5);
		publish_and_note(&want);
		half = at.view.control->epoch % 2;
		assert_memory_equal(at.view.table + half * words_of_half(), half_at_switch,
				    words_of_half() * sizeof(uint16_t));
		assert_memory_equal(&at.view.control->plan[half], &plan_at_switch,
				    sizeof(plan_at_switch));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(the_first_one_is_published, begin, end),
		cmocka_unit_test_setup_teardown(the_kernel_selects_until_a_worker_has_no_weight,
						begin, end),
		cmocka_unit_test_setup_teardown(a_guard_alone_is_published, begin, end),
		cmocka_unit_test_setup_teardown(affinity_is_followed, begin, end),
		cmocka_unit_test_setup_teardown(incoming_cpu_is_followed, begin, end),
		cmocka_unit_test_setup_teardown(the_last_row_counts, begin, end),
		cmocka_unit_test_setup_teardown(waits_before_it_writes, begin, end),
		cmocka_unit_test_setup_teardown(a_failure_changes_nothing, begin, end),
		cmocka_unit_test_setup_teardown(the_epoch_is_stored_last, begin_split, end_split),
	};

	return cmocka_run_group_tests_name("publish_cases", tests, NULL, NULL);
}
