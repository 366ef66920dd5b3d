/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* Standby: one helper does one job after the other; where it cannot, another one is started. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
/* After those four, which it needs. */
#include <cmocka.h>

#include <string.h>

#include "clock.h"
#include "forked_helpers.h"

/* What is asked for. */
struct request {
	uint32_t number;
	pid_t at;          /* looked at; 0: nobody */
	bool hangs;        /* before it reports, */
	bool hangs_behind; /* or after that */
	bool dies;
	size_t with; /* descriptors; a byte is written to each */
};

struct record {
	uint32_t number;
	pid_t by;
};

static struct record taken;
static int n_taken;

static void take(void *ctx, const void *record)
{
	assert_ptr_equal(ctx, &taken);
	memcpy(&taken, record, sizeof(taken));
	n_taken++;
}

static int serve(struct look_report *report, const void *data, const int *fds)
{
	const struct request *request = data;
	struct record record = { .number = request->number, .by = getpid() };
	int ret;

	look_at(report, request->at);
	for (size_t i = 0; i < request->with; i++)
		if (write(fds[i], "x", 1) != 1)
			return -errno;
	if (request->dies)
		raise(SIGKILL);
	while (request->hangs)
		pause();
	ret = look_tell(report, &record);
	if (!ret)
		ret = look_flush(report);
	while (request->hangs_behind)
		pause();
	return ret;
}

/* The same in a helper of its own, where nothing goes wrong. */
static int run_alone(struct look_report *report, void *arg)
{
	const struct request *request = arg;
	struct record record = { .number = request->number, .by = getpid() };

	return look_tell(report, &record);
}

static struct look *begin(struct request *request, const int *fds)
{
	const struct look_job job = {
		.run = run_alone,
		.arg = request,
		.record = sizeof(struct record),
		.take = take,
		.ctx = &taken,
		.keep = fds,
		.n_keep = request->with,
		.request = { .serve = serve, .data = request, .size = sizeof(*request) },
		.records = 1,
	};
	struct look *look;

	n_taken = 0;
	taken = (struct record){ 0 };
	assert_int_equal(look_begin(&job, &look), 0);
	return look;
}

/* Return the process that did it. */
static pid_t finish(struct look *look, const struct request *request)
{
	int result;

	while (!look_step(look, &result))
		look_wait(look);
	assert_int_equal(result, 0);
	look_free(look);
	assert_int_equal(n_taken, 1);
	assert_int_equal(taken.number, request->number);
	return taken.by;
}

static pid_t done_by(struct request request, const int *fds)
{
	return finish(begin(&request, fds), &request);
}

static pid_t stand_by(void)
{
	isolate(true);
	standby_start();
	assert_int_equal(n_helpers, 1);
	return helpers[0].pid;
}

/* It is free a moment after it has reported. */
static void let_it_end(void)
{
	clock_sleep_ms(20);
}

/* --------------------------------------------------------------------- tests */

static void it_does_one_job_after_the_other(void **state)
{
	pid_t pid = stand_by();
	int ends[2];
	char got[8];

	(void)state;
	assert_int_equal(pipe(ends), 0);
	for (uint32_t i = 1; i <= 50; i++) {
		assert_int_equal(done_by((struct request){ .number = i, .with = i % 2 }, &ends[1]),
				 pid);
		let_it_end();
		if (i % 2)
			assert_int_equal(read(ends[0], got, sizeof(got)), 1);
	}
	standby_start();
	assert_int_equal(n_helpers, 1);
	/* It has no descriptor left of those that it was sent. */
	close(ends[1]);
	assert_int_equal(read(ends[0], got, sizeof(got)), 0);
	close(ends[0]);
	standby_end();
	assert_int_equal(given_up, 1);
	assert_true(done_by((struct request){ .number = 1 }, NULL) != pid);
}

static void while_it_is_busy_others_are_started(void **state)
{
	pid_t pid = stand_by();

	(void)state;
	assert_int_equal(done_by((struct request){ .number = 7, .hangs_behind = true }, NULL), pid);
	for (uint32_t i = 0; i < 3; i++)
		assert_true(done_by((struct request){ .number = i }, NULL) != pid);
	assert_int_equal(given_up, 0);
	/* For long: it is given up, and another one stands by. */
	clock_sleep_ms(LOOK_PATIENCE_MS + 100);
	standby_start();
	assert_int_equal(given_up, 1);
	assert_int_equal(done_by((struct request){ .number = 9 }, NULL),
			 helpers[n_helpers - 1].pid);
	standby_end();
}

/* What it has reported would be taken for that of the next job. */
static void while_a_report_is_unread_it_has_no_other_job(void **state)
{
	struct request first = { .number = 1 }, second = { .number = 2 };
	const struct standby_request next = { .serve = serve,
					      .data = &second,
					      .size = sizeof(second) };
	pid_t pid = stand_by();
	struct look_state *of;
	struct look *look;
	int pipe;

	(void)state;
	look = begin(&first, NULL);
	let_it_end();
	assert_int_equal(standby_begin(&next, sizeof(struct record), NULL, 0, &pipe, &of), -EBUSY);
	assert_int_equal(finish(look, &first), pid);
	let_it_end();
	assert_int_equal(done_by(second, NULL), pid);
	standby_end();
}

static void one_that_dies_is_replaced(void **state)
{
	pid_t pid = stand_by();

	(void)state;
	assert_true(done_by((struct request){ .number = 3, .dies = true }, NULL) != pid);
	standby_start();
	pid = helpers[n_helpers - 1].pid;
	assert_int_equal(done_by((struct request){ .number = 4 }, NULL), pid);
	let_it_end();
	/* And one that died before. */
	kill(pid, SIGKILL);
	let_it_end();
	assert_true(done_by((struct request){ .number = 5 }, NULL) != pid);
	/* Or is seen to have died. */
	standby_start();
	kill(helpers[n_helpers - 1].pid, SIGKILL);
	let_it_end();
	standby_start();
	assert_int_equal(done_by((struct request){ .number = 6 }, NULL),
			 helpers[n_helpers - 1].pid);
	standby_end();
}

static void one_that_hangs_is_given_up(void **state)
{
	pid_t pid = stand_by(), at = start_process();
	uint64_t began = clock_ns(CLOCK_MONOTONIC);

	(void)state;
	assert_true(done_by((struct request){ .number = 3, .at = at, .hangs = true }, NULL) != pid);
	assert_true(clock_ns(CLOCK_MONOTONIC) - began >= LOOK_PATIENCE_MS * CLOCK_MS);
	assert_int_equal(given_up, 1);
	assert_int_equal(n_logged, 1);
	/* For a while each look has a helper of its own. */
	began = n_helpers;
	standby_start();
	assert_int_equal(n_helpers, began);
	end_process(at);
}

static void without_isolation_there_is_none(void **state)
{
	struct request request = { .number = 5 };

	(void)state;
	isolate(false);
	standby_start();
	assert_int_equal(n_helpers, 0);
	assert_int_equal(
		standby_begin(&(struct standby_request){ .serve = serve, .data = &request }, 4,
			      NULL, 0, NULL, NULL),
		-ENOENT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(it_does_one_job_after_the_other),
		cmocka_unit_test(while_it_is_busy_others_are_started),
		cmocka_unit_test(while_a_report_is_unread_it_has_no_other_job),
		cmocka_unit_test(one_that_dies_is_replaced),
		cmocka_unit_test(without_isolation_there_is_none),
		/* The last: after that there is haste. */
		cmocka_unit_test(one_that_hangs_is_given_up),
	};

	return cmocka_run_group_tests_name("standby", tests, NULL, NULL);
}
