/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* Look: what a helper reports arrives, one that hangs is given up, and what it hung at is
 * skipped while it lives. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
/* After those four, which it needs. */
#include <cmocka.h>

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>

#include "clock.h"
#include "forked_helpers.h"
#include "host/skip_list.h"
#include "random.h"

struct record {
	uint32_t number, of;
	char text[24];
};

enum { MANY = 5000 };

static struct {
	uint32_t n, last;
	bool in_order;
} taken;

static void take(void *ctx, const void *record)
{
	const struct record *r = record;

	assert_ptr_equal(ctx, &taken);
	taken.in_order &= r->number == taken.n && !strcmp(r->text, "text");
	taken.n++;
	taken.last = r->number;
}

static void forget_taken(void)
{
	taken.n = taken.last = 0;
	taken.in_order = true;
}

/* Report as many records, and return a code. */
struct plan {
	uint32_t n;
	int code;
	pid_t at[4]; /* look at these; 0: at none */
	pid_t hang_at;
	bool slow, dies;
};

static int report(struct look_report *to, void *arg)
{
	const struct plan *plan = arg;
	struct record record = { .text = "text" };

	for (int i = 0; i < 4 && plan->at[i]; i++) {
		if (!look_at(to, plan->at[i]))
			continue;
		while (plan->at[i] == plan->hang_at)
			pause();
	}
	for (record.number = 0; record.number < plan->n; record.number++) {
		int ret = look_tell(to, &record);

		if (ret)
			return ret;
		if (plan->slow) {
			look_progress(to);
			clock_sleep_ms(LOOK_PATIENCE_MS / 4);
		}
	}
	if (plan->dies)
		raise(SIGKILL);
	return plan->code;
}

static int run(struct plan *plan)
{
	const struct look_job job = {
		.run = report,
		.arg = plan,
		.record = sizeof(struct record),
		.take = take,
		.ctx = &taken,
	};

	forget_taken();
	return look_run(&job);
}

/* --------------------------------------------------------------------- tests */

static void records_and_result_arrive(void **state)
{
	(void)state;
	for (int on = 0; on < 2; on++) {
		isolate(on);
		for (uint32_t n = 0; n <= MANY; n = n * 7 + 1) {
			assert_int_equal(run(&(struct plan){ .n = n, .code = -(int)(n % 100) }),
					 -(int)(n % 100));
			assert_int_equal(taken.n, n);
			assert_true(taken.in_order);
		}
		assert_int_equal(n_helpers, on ? 6 : 0);
		assert_int_equal(given_up, 0);
	}
}

static void one_that_dies_is_no_success(void **state)
{
	(void)state;
	isolate(true);
	assert_int_equal(run(&(struct plan){ .n = 3, .dies = true }), -EIO);
	assert_int_equal(given_up, 0);
	refuse_after = 1;
	assert_int_equal(run(&(struct plan){ .n = 3 }), -EBUSY);
	assert_int_equal(taken.n, 0);
}

static void one_that_hangs_is_given_up(void **state)
{
	pid_t hangs = start_process(), other = start_process();
	struct plan plan = { .n = 10, .at = { other, hangs }, .hang_at = hangs };
	uint64_t began = clock_ns(CLOCK_MONOTONIC), took;
	char expected[128];
	uint32_t pids[8];

	(void)state;
	isolate(true);
	assert_int_equal(run(&plan), 0);
	took = (clock_ns(CLOCK_MONOTONIC) - began) / CLOCK_MS;
	assert_true(took >= LOOK_PATIENCE_MS);
	assert_true(taken.in_order);
	assert_int_equal(taken.n, 10);
	assert_int_equal(given_up, 1);
	/* It is named, once. */
	snprintf(expected, sizeof(expected),
		 "process %d (look) does not let itself be inspected: skipped", hangs);
	assert_string_equal(logged, expected);
	assert_int_equal(look_skipped(pids, 8), 1);
	assert_int_equal(pids[0], hangs);

	/* Later it is not looked at. */
	began = clock_ns(CLOCK_MONOTONIC);
	assert_int_equal(run(&plan), 0);
	assert_true(clock_ns(CLOCK_MONOTONIC) - began < LOOK_HASTE_MS * CLOCK_MS);
	assert_int_equal(given_up, 1);
	assert_int_equal(n_logged, 1);

	/* Another one: there is less patience now. */
	plan.hang_at = other;
	began = clock_ns(CLOCK_MONOTONIC);
	assert_int_equal(run(&plan), 0);
	took = (clock_ns(CLOCK_MONOTONIC) - began) / CLOCK_MS;
	assert_true(took >= LOOK_HASTE_MS && took < LOOK_PATIENCE_MS);
	assert_int_equal(n_logged, 2);
	assert_int_equal(look_skipped(pids, 1), 1);
	assert_int_equal(look_skipped(pids, 8), 2);

	/* And when they have ended, they are forgotten. */
	end_process(hangs);
	assert_int_equal(look_skipped(pids, 8), 1);
	assert_int_equal(pids[0], other);
	end_process(other);
	assert_int_equal(look_skipped(pids, 8), 0);
}

static void a_place_that_cannot_be_skipped_is_tried_once(void **state)
{
	pid_t gone = start_process();
	struct plan plan = { .at = { gone }, .hang_at = gone };

	(void)state;
	isolate(true);
	end_process(gone);
	assert_int_equal(run(&plan), -ETIMEDOUT);
	assert_int_equal(n_helpers, 1);
	assert_int_equal(n_logged, 0);
}

static void slow_progress_is_progress(void **state)
{
	(void)state;
	isolate(true);
	assert_int_equal(run(&(struct plan){ .n = 8, .slow = true }), 0);
	assert_int_equal(taken.n, 8);
	assert_int_equal(given_up, 0);
}

static void beside_other_work(void **state)
{
	struct plan plan = { .n = MANY, .code = -7 };
	const struct look_job job = {
		.run = report,
		.arg = &plan,
		.record = sizeof(struct record),
		.take = take,
		.ctx = &taken,
	};
	struct look *look;
	int result;

	(void)state;
	isolate(true);
	forget_taken();
	assert_int_equal(look_begin(&job, &look), 0);
	while (!look_step(look, &result)) {
		struct pollfd ready = { look_fd(look), POLLIN, 0 };

		assert_true(look_until(look) >= clock_ns(CLOCK_MONOTONIC) - 1000 * CLOCK_MS);
		poll(&ready, 1, 100);
	}
	assert_int_equal(result, -7);
	assert_int_equal(taken.n, MANY);
	assert_int_equal(look_fd(look), -1);
	look_free(look);
	/* One that is not over is given up. */
	assert_int_equal(look_begin(&job, &look), 0);
	look_free(look);
	assert_int_equal(given_up, 1);
	look_free(NULL);
}

static void isolation_needs_its_functions(void **state)
{
	REUSEPORT_OPTS(reuseport_isolation, by, .start = start, .log = keep_line);
	struct reuseport_isolation no_size = { .start = start, .stop = stop, .log = keep_line };
	struct reuseport_error error;

	(void)state;
	isolate(false);
	assert_int_equal(reuseport_set_isolation(&by, &error), -EINVAL);
	assert_int_equal(reuseport_set_isolation(&no_size, NULL), -EINVAL);
	assert_false(look_isolated());
}

static void the_list_keeps_the_latest(void **state)
{
	enum { N = SKIP_LIST_MAX + 3 };
	pid_t pids[N];

	(void)state;
	for (int i = 0; i < N; i++) {
		pids[i] = start_process();
		assert_true(skip_list_add(pids[i]));
	}
	for (int i = 0; i < N; i++) {
		assert_int_equal(skip_list_has(pids[i]), i >= N - SKIP_LIST_MAX);
		end_process(pids[i]);
	}
	skip_list_forget_ended();
	for (int i = 0; i < N; i++)
		assert_false(skip_list_has(pids[i]));
	assert_false(skip_list_add(pids[0]));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(records_and_result_arrive),
		cmocka_unit_test(one_that_dies_is_no_success),
		cmocka_unit_test(slow_progress_is_progress),
		cmocka_unit_test(one_that_hangs_is_given_up),
		cmocka_unit_test(a_place_that_cannot_be_skipped_is_tried_once),
		cmocka_unit_test(beside_other_work),
		cmocka_unit_test(isolation_needs_its_functions),
		cmocka_unit_test(the_list_keeps_the_latest),
	};

	return cmocka_run_group_tests_name("look", tests, NULL, NULL);
}
