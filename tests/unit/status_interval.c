/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * Intervals of status: what each worker was given between two looks, with workers that join,
 * leave, take over a slot, or take the same one again, and with groups that come and go.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
/* After those four, which it needs. */
#include <cmocka.h>

#include <stdio.h>

#include "status_interval.h"

#define S 1000000000ULL
#define MOST 4

/* A look at a group that was attached at 1 s: what it points to is in it. */
struct made_look {
	struct reuseport_status status;
	struct reuseport_counters counters;
	struct reuseport_worker workers[MOST];
	const struct reuseport_worker *pointers[MOST];
};

static void make_look(struct made_look *look, uint64_t taken_ns, uint64_t selected)
{
	*look = (struct made_look){ .counters = { .selected = selected, .nobody = selected / 2 },
				    .status = { .attached_ns = S, .taken_ns = taken_ns } };
	snprintf(look->status.pin, sizeof(look->status.pin), "/pin");
	look->status.counters = &look->counters;
	look->status.workers = look->pointers;
}

static void add_made(struct made_look *look, unsigned int slot, uint64_t cookie, uint64_t joined_ns,
		     uint64_t selected)
{
	size_t i = look->status.n_workers++;

	look->workers[i] = (struct reuseport_worker){
		.slot = slot, .cookie = cookie, .joined_ns = joined_ns, .selected = selected
	};
	look->pointers[i] = &look->workers[i];
}

static struct status_interval compared(const struct made_look *before, const struct made_look *now,
				       uint64_t begun_ns)
{
	struct status_interval interval;

	assert_int_equal(status_interval_make(before ? &before->status : NULL, &now->status,
					      begun_ns, &interval),
			 0);
	return interval;
}

/* Check what the worker in that place was given. */
static void gave(const struct status_interval *interval, size_t i, uint64_t selected)
{
	assert_true(i < interval->n_workers);
	assert_true(interval->workers[i].known);
	assert_int_equal(interval->workers[i].selected, selected);
}

static void is_interval(const struct status_interval *interval, double seconds, uint64_t selected,
			uint64_t gone)
{
	assert_true(interval->known);
	assert_true(interval->seconds > seconds - 1e-9 && interval->seconds < seconds + 1e-9);
	assert_int_equal(interval->selected, selected);
	assert_int_equal(interval->gone, gone);
}

/* ------------------------------------------------------------------- workers */

static void differences(void **unused)
{
	struct made_look before, now;
	struct status_interval interval;

	(void)unused;
	make_look(&before, 10 * S, 1000);
	add_made(&before, 0, 7, 2 * S, 600);
	add_made(&before, 5, 8, 3 * S, 400);
	make_look(&now, 12 * S + S / 2, 1300);
	add_made(&now, 0, 7, 2 * S, 700);
	add_made(&now, 5, 8, 3 * S, 600);
	interval = compared(&before, &now, 9 * S);
	is_interval(&interval, 2.5, 300, 0);
	assert_int_equal(interval.fallback, 150);
	assert_true(interval.gone_known);
	gave(&interval, 0, 100);
	gave(&interval, 1, 200);
	free(interval.workers);
}

/* One joins, one leaves; what that one got within the interval is in the total. */
static void joins_and_leaves(void **unused)
{
	struct made_look before, now;
	struct status_interval interval;

	(void)unused;
	make_look(&before, 10 * S, 1000);
	add_made(&before, 0, 7, 2 * S, 600);
	add_made(&before, 1, 8, 2 * S, 400);
	make_look(&now, 11 * S, 1100);
	add_made(&now, 1, 8, 2 * S, 430);
	add_made(&now, 2, 9, 10 * S + S / 2, 50);
	interval = compared(&before, &now, 10 * S);
	is_interval(&interval, 1, 100, 20);
	gave(&interval, 0, 30);
	gave(&interval, 1, 50);
	free(interval.workers);
}

/* The next worker in the slot has a count of its own, and so has the same one that came again. */
static void slot_reused(void **unused)
{
	struct made_look before, now;
	struct status_interval interval;

	(void)unused;
	make_look(&before, 10 * S, 1000);
	add_made(&before, 0, 7, 2 * S, 600);
	add_made(&before, 1, 8, 2 * S, 10);
	add_made(&before, 2, 5, 2 * S, 10);
	make_look(&now, 11 * S, 1700);
	add_made(&now, 0, 9, 10 * S + 1, 650);
	add_made(&now, 1, 8, 10 * S + 2, 30);
	/* Of clocks that were set, say: the cookie decides. */
	add_made(&now, 2, 6, 2 * S, 15);
	interval = compared(&before, &now, 10 * S);
	is_interval(&interval, 1, 700, 0);
	assert_false(interval.gone_known);
	gave(&interval, 0, 650);
	gave(&interval, 1, 30);
	assert_false(interval.workers[2].known);
	free(interval.workers);
}

static void counters_that_went_back(void **unused)
{
	struct made_look before, now;
	struct status_interval interval;

	(void)unused;
	make_look(&before, 10 * S, 1000);
	add_made(&before, 0, 7, 2 * S, 1000);
	make_look(&now, 11 * S, 40);
	add_made(&now, 0, 7, 2 * S, 40);
	interval = compared(&before, &now, 10 * S);
	is_interval(&interval, 1, 40, 0);
	gave(&interval, 0, 40);
	free(interval.workers);
}

/* It was there before the first look, which has not shown it. */
static void not_shown_before(void **unused)
{
	struct made_look before, now;
	struct status_interval interval;

	(void)unused;
	make_look(&before, 10 * S, 1000);
	make_look(&now, 11 * S, 1100);
	add_made(&now, 3, 7, 9 * S, 900);
	interval = compared(&before, &now, 9 * S + 1);
	is_interval(&interval, 1, 100, 0);
	assert_false(interval.workers[0].known);
	assert_false(interval.gone_known);
	free(interval.workers);
}

/* -------------------------------------------------------------------- groups */

static void attached_within(void **unused)
{
	struct made_look now;
	struct status_interval interval;

	(void)unused;
	make_look(&now, 3 * S, 80);
	add_made(&now, 0, 7, S, 80);
	interval = compared(NULL, &now, S / 2);
	is_interval(&interval, 2, 80, 0);
	gave(&interval, 0, 80);
	free(interval.workers);
}

static void attached_before_and_not_shown(void **unused)
{
	struct made_look now;
	struct status_interval interval;

	(void)unused;
	make_look(&now, 3 * S, 80);
	add_made(&now, 0, 7, S, 80);
	interval = compared(NULL, &now, S + 1);
	assert_false(interval.known);
	assert_false(interval.workers[0].known);
	free(interval.workers);
}

static void another_attachment(void **unused)
{
	struct made_look before, now;

	(void)unused;
	make_look(&before, 10 * S, 1000);
	make_look(&now, 12 * S, 80);
	assert_true(status_interval_is_same(&before.status, &now.status));
	now.status.attached_ns = 11 * S;
	assert_false(status_interval_is_same(&before.status, &now.status));
	now.status.attached_ns = before.status.attached_ns;
	snprintf(now.status.pin, sizeof(now.status.pin), "/other");
	assert_false(status_interval_is_same(&before.status, &now.status));
}

static void damaged(void **unused)
{
	static const struct reuseport_counters none;
	struct status_interval interval;
	struct reuseport_status now = { .damaged = true, .counters = &none };
	struct made_look before;

	(void)unused;
	make_look(&before, 10 * S, 1000);
	assert_int_equal(status_interval_make(&before.status, &now, S, &interval), 0);
	assert_false(interval.known);
	free(interval.workers);
	assert_int_equal(status_interval_make(NULL, &now, S, &interval), 0);
	assert_false(interval.known);
	free(interval.workers);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(differences),
		cmocka_unit_test(joins_and_leaves),
		cmocka_unit_test(slot_reused),
		cmocka_unit_test(counters_that_went_back),
		cmocka_unit_test(not_shown_before),
		cmocka_unit_test(attached_within),
		cmocka_unit_test(attached_before_and_not_shown),
		cmocka_unit_test(another_attachment),
		cmocka_unit_test(damaged),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
