/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * Rollouts: the steps in every order, and what a worker's own state and its
 * generation make together.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
/* After those four, which it needs. */
#include <cmocka.h>

#include <errno.h>
#include <string.h>

#include "policy/rollout_state.h"
#include "random.h"
#include "state/generation.h"

#define BEGIN REUSEPORT_ROLLOUT_BEGIN
#define SWITCH REUSEPORT_ROLLOUT_SWITCH
#define FINISH REUSEPORT_ROLLOUT_FINISH
#define ABORT REUSEPORT_ROLLOUT_ABORT

static int take(struct generations *g, enum reuseport_rollout_step step, unsigned int able)
{
	return rollout_state_step(g, step, able, "tcp 0.0.0.0:80", NULL);
}

static struct generations state(uint32_t serving, uint32_t other, uint32_t latest,
				enum rollout_phase phase)
{
	return (struct generations){ serving, other, latest, phase };
}

static void is(const struct generations *g, uint32_t serving, uint32_t other, uint32_t latest,
	       enum rollout_phase phase)
{
	assert_int_equal(g->serving, serving);
	assert_int_equal(g->other, other);
	assert_int_equal(g->latest, latest);
	assert_int_equal(g->phase, phase);
}

/* ------------------------------------------------------------------- steps */

static void one_after_the_other(void **unused)
{
	struct generations g = { 0 };

	(void)unused;
	assert_int_equal(take(&g, BEGIN, 0), 0);
	is(&g, 0, 1, 1, ROLLOUT_BEGUN);
	assert_int_equal(take(&g, SWITCH, 1), 0);
	is(&g, 1, 0, 1, ROLLOUT_SWITCHED);
	assert_int_equal(take(&g, FINISH, 0), 0);
	is(&g, 1, 0, 1, ROLLOUT_NONE);
	assert_int_equal(take(&g, BEGIN, 0), 0);
	is(&g, 1, 2, 2, ROLLOUT_BEGUN);
}

static void there_and_back(void **unused)
{
	struct generations g = state(4, 0, 7, ROLLOUT_NONE);

	(void)unused;
	assert_int_equal(take(&g, BEGIN, 0), 0);
	assert_int_equal(take(&g, ABORT, 0), 0);
	is(&g, 4, 0, 8, ROLLOUT_NONE);
	/* The number is not given twice. */
	assert_int_equal(take(&g, BEGIN, 0), 0);
	is(&g, 4, 9, 9, ROLLOUT_BEGUN);
	assert_int_equal(take(&g, SWITCH, 3), 0);
	is(&g, 9, 4, 9, ROLLOUT_SWITCHED);
	assert_int_equal(take(&g, ABORT, 1), 0);
	is(&g, 4, 0, 9, ROLLOUT_NONE);
}

/* What each step says in each phase, and that a refusal changes nothing. */
static void out_of_order(void **unused)
{
	static const struct {
		enum rollout_phase phase;
		enum reuseport_rollout_step step;
		unsigned int able;
		int ret;
		const char *says;
	} cases[] = {
		{ ROLLOUT_NONE, SWITCH, 1, -EINVAL, "no rollout has begun" },
		{ ROLLOUT_NONE, FINISH, 1, -EINVAL, "no rollout has begun" },
		{ ROLLOUT_NONE, ABORT, 1, -EINVAL, "begin one first" },
		{ ROLLOUT_BEGUN, BEGIN, 1, -EALREADY, "switch to it, or abort it" },
		{ ROLLOUT_BEGUN, SWITCH, 0, -ECHILD, "no worker of generation 2" },
		{ ROLLOUT_BEGUN, FINISH, 1, -EINVAL, "generation 2 has not been switched to yet" },
		{ ROLLOUT_SWITCHED, BEGIN, 1, -EALREADY, "finish it, or abort it" },
		{ ROLLOUT_SWITCHED, SWITCH, 1, -EALREADY, "to generation 1 already" },
		{ ROLLOUT_SWITCHED, ABORT, 0, -ECHILD, "no worker of generation 2 is left" },
		{ ROLLOUT_NONE, 0, 1, -EINVAL, "0 is not a step" },
		{ ROLLOUT_NONE, 5, 1, -EINVAL, "5 is not a step" },
	};

	(void)unused;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct generations g = state(1, 2, 2, cases[i].phase);
		struct reuseport_error err = { 0 };

		assert_int_equal(rollout_state_step(&g, cases[i].step, cases[i].able,
						    "tcp 0.0.0.0:80", &err),
				 cases[i].ret);
		assert_int_equal(err.code, -cases[i].ret);
		assert_non_null(strstr(err.text, cases[i].says));
		is(&g, 1, 2, 2, cases[i].phase);
	}
}

/* A server restarts whole: no worker of the generation that serves is left. */
static void overtaken(void **unused)
{
	struct generations g = state(4, 9, 9, ROLLOUT_BEGUN);

	(void)unused;
	assert_false(rollout_state_overtake(&g, 1, 3));
	assert_false(rollout_state_overtake(&g, 0, 0));
	is(&g, 4, 9, 9, ROLLOUT_BEGUN);
	assert_true(rollout_state_overtake(&g, 0, 1));
	is(&g, 9, 4, 9, ROLLOUT_SWITCHED);
	assert_false(rollout_state_overtake(&g, 0, 1));
	/* The switch that is asked for after it is done already. */
	assert_int_equal(take(&g, SWITCH, 0), 0);
	is(&g, 9, 4, 9, ROLLOUT_SWITCHED);
	assert_int_equal(take(&g, FINISH, 0), 0);
	is(&g, 9, 0, 9, ROLLOUT_NONE);
	assert_false(rollout_state_overtake(&g, 0, 1));
}

/* ------------------------------------------------------------------ workers */

static enum worker_state seen(const struct generations *g, enum worker_state own,
			      uint32_t generation)
{
	const struct worker_entry entry = { .state = own, .generation = generation };

	return generation_state(g, &entry);
}

static void states_of_workers(void **unused)
{
	struct generations none = state(1, 0, 2, ROLLOUT_NONE);
	struct generations begun = state(1, 3, 3, ROLLOUT_BEGUN);
	struct generations switched = state(3, 1, 3, ROLLOUT_SWITCHED);

	(void)unused;
	assert_int_equal(seen(&none, WORKER_ACTIVE, 1), WORKER_ACTIVE);
	assert_int_equal(seen(&none, WORKER_ACTIVE, 0), WORKER_DRAINING);
	assert_int_equal(seen(&none, WORKER_ACTIVE, 2), WORKER_DRAINING); /* aborted */
	assert_int_equal(seen(&begun, WORKER_ACTIVE, 1), WORKER_ACTIVE);
	assert_int_equal(seen(&begun, WORKER_ACTIVE, 3), WORKER_JOINING);
	assert_int_equal(seen(&begun, WORKER_ACTIVE, 2), WORKER_DRAINING);
	assert_int_equal(seen(&switched, WORKER_ACTIVE, 3), WORKER_ACTIVE);
	assert_int_equal(seen(&switched, WORKER_ACTIVE, 1), WORKER_DRAINING);
	/* What was done to the worker itself stays. */
	for (uint32_t generation = 0; generation < 4; generation++) {
		assert_int_equal(seen(&begun, WORKER_FREE, generation), WORKER_FREE);
		assert_int_equal(seen(&begun, WORKER_JOINING, generation), WORKER_JOINING);
		assert_int_equal(seen(&switched, WORKER_DRAINING, generation), WORKER_DRAINING);
		assert_int_equal(seen(&none, WORKER_LEAVING, generation), WORKER_LEAVING);
	}
}

/*
 * Any steps in any order: just one generation serves, always one that had workers;
 * newcomers wait while a rollout has begun and work otherwise; what an abort
 * returns to is what was there before; no number is given twice.
 */
static void any_steps(void **unused)
{
	struct generations g = { 0 }, before_rollout = { 0 };
	uint64_t random = 1;

	(void)unused;
	for (int i = 0; i < 100000; i++) {
		enum reuseport_rollout_step step = 1 + next_hash(&random) % 4;
		unsigned int able = next_hash(&random) % 2;
		struct generations before = g;
		uint32_t newcomer;

		if (take(&g, step, able)) {
			assert_memory_equal(&g, &before, sizeof(g));
			continue;
		}
		assert_true(g.serving <= g.latest && g.other <= g.latest);
		if (step == BEGIN) {
			before_rollout = before;
			assert_int_equal(g.latest, before.latest + 1);
		} else {
			assert_int_equal(g.latest, before.latest);
		}
		if (step == ABORT)
			assert_int_equal(g.serving, before_rollout.serving);
		if (g.serving != before.serving)
			assert_true(able);
		newcomer = generation_of_newcomer(&g);
		assert_int_equal(seen(&g, WORKER_ACTIVE, newcomer),
				 g.phase == ROLLOUT_BEGUN ? WORKER_JOINING : WORKER_ACTIVE);
		assert_int_equal(generation_in_rollout(&g), step == BEGIN || step == SWITCH);
		assert_int_equal(seen(&g, WORKER_ACTIVE, g.serving), WORKER_ACTIVE);
	}
	assert_true(g.latest > 1000);
}

/*
 * A worker joins in two steps, its generation first and then its admission, and rollouts
 * may take any steps in between: under manual admission it never gets work by that alone.
 */
static void admission_meets_any_steps(void **unused)
{
	const struct plan manual = { .flags = PLAN_ADMIT_MANUAL }, automatic = { .flags = 0 };
	struct generations g = { 0 };
	unsigned int admitted = 0, waited = 0;
	uint64_t random = 3;

	(void)unused;
	for (int i = 0; i < 100000; i++) {
		struct worker_entry entry = { .state = WORKER_JOINING,
					      .generation = generation_of_newcomer(&g) };

		for (unsigned int steps = next_hash(&random) % 4; steps; steps--)
			take(&g, 1 + next_hash(&random) % 4, 1);
		assert_true(generation_admits(&automatic, &g, &entry));
		if (!generation_admits(&manual, &g, &entry)) {
			waited++;
			continue;
		}
		admitted++;
		entry.state = WORKER_ACTIVE;
		assert_int_equal(generation_state(&g, &entry), WORKER_JOINING);
	}
	assert_true(admitted > 1000 && waited > 1000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_after_the_other),
		cmocka_unit_test(there_and_back),
		cmocka_unit_test(out_of_order),
		cmocka_unit_test(overtaken),
		cmocka_unit_test(states_of_workers),
		cmocka_unit_test(any_steps),
		cmocka_unit_test(admission_meets_any_steps),
	};

	return cmocka_run_group_tests_name("rollout", tests, NULL, NULL);
}
