/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* Listing state: which word a group gets where several things are true. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* After those four, which it needs. */
#include <cmocka.h>

#include "api/listing_state.h"

/* A group with this toolkit's program, and workers: nothing is wrong with it. */
static const struct listing_facts steered = { .sockets = 2,
					      .grouped = true,
					      .group = true,
					      .program_known = true,
					      .has_program = true,
					      .own = true,
					      .counted = true,
					      .may_get_new = 2 };

static void one_thing_is_true(void **state)
{
	struct listing_facts facts = steered;

	(void)state;
	assert_int_equal(listing_state(&facts), REUSEPORT_GROUP_STEERED);
	facts.shadowed = true;
	assert_int_equal(listing_state(&facts), REUSEPORT_GROUP_SHADOWED);
	facts = steered;
	facts.may_get_new = 0;
	assert_int_equal(listing_state(&facts), REUSEPORT_GROUP_UNSERVED);
	/* Damaged pins do not tell. */
	facts.counted = false;
	assert_int_equal(listing_state(&facts), REUSEPORT_GROUP_STEERED);
	facts = steered;
	facts.own = false;
	assert_int_equal(listing_state(&facts), REUSEPORT_GROUP_FOREIGN);
	facts.has_program = false;
	assert_int_equal(listing_state(&facts), REUSEPORT_GROUP_PLAIN);
	facts.lost = true;
	assert_int_equal(listing_state(&facts), REUSEPORT_GROUP_LOST);
}

static void the_worst_comes_first(void **state)
{
	struct listing_facts facts = steered;

	(void)state;
	facts.shadowed = true;
	facts.may_get_new = 0;
	assert_int_equal(listing_state(&facts), REUSEPORT_GROUP_UNSERVED);
	facts.own = false;
	facts.lost = true;
	assert_int_equal(listing_state(&facts), REUSEPORT_GROUP_FOREIGN);
	facts.has_program = false;
	assert_int_equal(listing_state(&facts), REUSEPORT_GROUP_LOST);
	facts.lost = false;
	assert_int_equal(listing_state(&facts), REUSEPORT_GROUP_SHADOWED);
}

/* What is not known is never said to be plain. */
static void what_is_not_known(void **state)
{
	struct listing_facts facts = steered;

	(void)state;
	facts.program_known = false;
	assert_int_equal(listing_state(&facts), REUSEPORT_GROUP_UNKNOWN);
	facts.has_program = facts.own = false;
	facts.lost = true;
	assert_int_equal(listing_state(&facts), REUSEPORT_GROUP_UNKNOWN);
	facts.grouped = facts.group = false;
	facts.program_known = true;
	assert_int_equal(listing_state(&facts), REUSEPORT_GROUP_UNKNOWN);
	facts = steered;
	facts.own = false;
	facts.maybe_own = true;
	assert_int_equal(listing_state(&facts), REUSEPORT_GROUP_UNKNOWN);
}

static void without_a_group(void **state)
{
	struct listing_facts facts = { .sockets = 2, .grouped = true };

	(void)state;
	assert_int_equal(listing_state(&facts), REUSEPORT_GROUP_REUSEADDR);
	assert_true(listing_is_doubtful(REUSEPORT_GROUP_REUSEADDR, 2));
	facts = (struct listing_facts){ 0 };
	assert_int_equal(listing_state(&facts), REUSEPORT_GROUP_UNSERVED);
	assert_true(listing_is_doubtful(REUSEPORT_GROUP_UNSERVED, 0));
	assert_false(listing_is_doubtful(REUSEPORT_GROUP_UNSERVED, 2));
	assert_true(listing_is_doubtful(REUSEPORT_GROUP_LOST, 2));
	assert_false(listing_is_doubtful(REUSEPORT_GROUP_STEERED, 2));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_thing_is_true),
		cmocka_unit_test(the_worst_comes_first),
		cmocka_unit_test(what_is_not_known),
		cmocka_unit_test(without_a_group),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
