/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * What is published, and when, at random: against a reference that reads the layout from
 * abi.h and compiles every table from nothing.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
/* After those four, which it needs. */
#include <cmocka.h>

#include "plain_maps.h"
#include "random.h"

static uint64_t seed = 88172645463325252ULL;

static uint32_t below(uint32_t n)
{
	return (uint64_t)next_hash(&seed) * n >> 32;
}

/* ------------------------------------------------------------- the reference */

/* Everything that a packet goes by. */
struct image {
	struct plan plan; /* its width and PLAN_GUARDED are below */
	uint32_t width;
	bool guarded;
	struct generations generations;
	uint32_t weights[SLOTS];
	uint16_t entries[ROOM];
};

static bool by_place(const struct image *image)
{
	return image->plan.policy == POLICY_CPU || image->plan.policy == POLICY_NUMA;
}

static size_t entries_used(const struct image *image)
{
	unsigned int rows = image->plan.policy == POLICY_CPU  ? CPUS + 1 :
			    image->plan.policy == POLICY_NUMA ? NODES + 1 :
								1;

	return rows * image->width;
}

/* Read what is in use. */
static void read_image(struct image *image)
{
	const struct control *control = at.view.control;
	const uint16_t *half = at.view.table + control->epoch % 2 * words_of_half();

	memset(image, 0, sizeof(*image));
	image->plan = control->plan[control->epoch % 2];
	image->width = image->plan.width;
	image->guarded = image->plan.flags & PLAN_GUARDED;
	image->plan.width = 0;
	image->plan.flags &= ~PLAN_GUARDED;
	memcpy(&image->generations, half + ROOM, sizeof(image->generations));
	for (unsigned int slot = 0; slot < SLOTS; slot++)
		image->weights[slot] = (half + ROOM + 8)[slot];
	memcpy(image->entries, half, entries_used(image) * sizeof(uint16_t));
}

static void cpus_by_map(unsigned int slot, struct cpus *set)
{
	*set = (struct cpus){ 0 };
	for (unsigned int cpu = 0; cpu < CPUS; cpu++)
		if (at.view.cpu_map[cpu].given && at.view.cpu_map[cpu].slot == slot)
			cpus_add(set, cpu);
}

/* Make what should be in use: each worker that is there, active and of the serving
 * generation has its weight, and the table is compiled from nothing. */
static void make_image(const struct plan_spec *want, struct image *image)
{
	static struct cpus cpus[SLOTS];
	struct table_spec spec = { .room = ROOM,
				   .slots = SLOTS,
				   .weights = image->weights,
				   .cpu_count = CPUS,
				   .node_count = NODES,
				   .cpus = cpus };

	memset(image, 0, sizeof(*image));
	image->plan = want->plan;
	image->plan.width = 0;
	image->plan.flags &= ~PLAN_GUARDED;
	image->generations = want->generations;
	image->guarded = want->generations.phase != ROLLOUT_NONE ||
			 (want->plan.flags & PLAN_ADMIT_MANUAL);
	for (unsigned int slot = 0; slot < SLOTS; slot++) {
		const struct worker_entry *w = &at.view.workers[slot];
		bool there = w->state != WORKER_FREE && w->cookie == sockets[slot];

		if (there && w->state == WORKER_ACTIVE &&
		    w->generation == want->generations.serving)
			image->weights[slot] = w->weight;
		if (there && !image->weights[slot])
			image->guarded = true;
		cpus[slot] = (struct cpus){ 0 };
		if (want->plan.flags & PLAN_GIVEN_CPUS)
			cpus_by_map(slot, &cpus[slot]);
		else if (incoming[slot] >= 0 && incoming[slot] < CPUS)
			cpus_add(&cpus[slot], incoming[slot]);
		else
			cpus[slot] = affinity[slot];
	}
	spec.plan = image->plan;
	spec.restricted = image->guarded || at.view.size.flows;
	assert_int_equal(__real_table_compile(&spec, image->entries, &image->width), 0);
	memset(image->entries + entries_used(image), 0,
	       (ROOM - entries_used(image)) * sizeof(uint16_t));
}

/* Return whether both steer every packet alike. With one table for all, the weights
 * count too, even where the same table comes of them. */
static bool same_image(const struct image *a, const struct image *b)
{
	return !memcmp(&a->plan, &b->plan, sizeof(a->plan)) && a->width == b->width &&
	       a->guarded == b->guarded &&
	       !memcmp(&a->generations, &b->generations, sizeof(a->generations)) &&
	       !memcmp(a->entries, b->entries, sizeof(a->entries)) &&
	       (!a->width || by_place(a) || !memcmp(a->weights, b->weights, sizeof(a->weights)));
}

/* Return whether the weights of the half in use say rightly who gets new work, which
 * they do where there is a table. */
static bool same_zeros(const struct image *a, const struct image *b)
{
	for (unsigned int slot = 0; slot < SLOTS; slot++)
		if (a->width && !a->weights[slot] != !b->weights[slot])
			return false;
	return true;
}

/* ---------------------------------------------------------------- properties */

static void change_a_worker(void)
{
	unsigned int slot = below(SLOTS);
	struct worker_entry *w = &at.view.workers[slot];

	switch (below(6)) {
	case 0:
		seat(slot, below(4));
		break;
	case 1: /* it has left, and its entry is still there */
		sockets[slot] = 0;
		break;
	case 2:
		*w = (struct worker_entry){ .state = WORKER_FREE };
		sockets[slot] = 0;
		break;
	case 3:
		w->weight = below(5);
		break;
	case 4:
		if (w->state != WORKER_FREE)
			w->state = WORKER_JOINING + below(4);
		break;
	default:
		w->generation = below(3);
	}
}

static void change_a_place(void)
{
	affinity[below(SLOTS)].words[0] = 1 + below(0xffff);
	incoming[below(SLOTS)] = (int)below(2 * CPUS + 1) - 1;
	at.view.cpu_map[below(CPUS)] = (struct given_cpu){ .given = below(2),
							   .slot = below(SLOTS + 2) };
}

static void change_the_plan(struct plan *plan)
{
	plan->policy = below(POLICY_LINUX39 + 1);
	plan->flags = below(2) ? 0 : below(2) ? PLAN_OWN_HASH : PLAN_ADMIT_MANUAL;
	if (plan->policy == POLICY_WEIGHTED && below(2))
		plan->flags |= PLAN_OVER_CONSISTENT;
	if ((plan->policy == POLICY_CPU || plan->policy == POLICY_NUMA) && below(2))
		plan->flags |= PLAN_GIVEN_CPUS;
}

static void change_one_word(struct plan *plan)
{
	switch (below(5)) {
	case 0:
		plan->key = below(KEY_DST + 1);
		break;
	case 1:
		plan->prefix4 = below(33);
		break;
	case 2:
		plan->prefix6 = below(129);
		break;
	case 3:
		plan->hash_key[below(2)] = below(3);
		break;
	default:
		plan->flags ^= PLAN_ADMIT_MANUAL;
	}
}

static void change_generations(struct generations *g)
{
	if (below(3))
		*g = (struct generations){ .serving = below(2) };
	else
		*g = (struct generations){ below(3), below(3), below(4), below(3) };
}

/* Change something at random, the maps or what is wanted, or nothing. */
static void change_something(struct plan_spec *want)
{
	switch (below(8)) {
	case 0:
		change_the_plan(&want->plan);
		break;
	case 1:
		change_one_word(&want->plan);
		break;
	case 2:
		change_generations(&want->generations);
		break;
	case 3:
		change_a_place();
		break;
	case 4:
	case 5:
	case 6:
		change_a_worker();
	}
	/* Neither is asked for: they are found out. */
	want->plan.width = below(1 << 24);
	want->plan.flags ^= below(2) ? PLAN_GUARDED : 0;
}

/* While a run of the program may still see the half before, nothing is written. */
static void unchanged(void)
{
	unchanged_half(0);
	unchanged_half(1);
	assert_int_equal(at.view.control->epoch, control_before.epoch);
}

/* Publish, and hold it against the reference. Returns what it returned. */
static int publish_and_compare(const struct plan_spec *want)
{
	bool settled = ages_of_group(&at.view, AGE_SETTLED)->since_ns == at.view.control->epoch;
	unsigned int epoch = at.view.control->epoch, syncs_before = syncs;
	static struct image before, wanted, after;
	bool needed;
	int ret;

	read_image(&before);
	make_image(want, &wanted);
	needed = !epoch || !same_image(&before, &wanted);
	snapshot();
	on_sync = unchanged;
	ret = publish(want);
	read_image(&after);
	assert_int_equal(ret, needed);
	assert_int_equal(at.view.control->epoch, epoch + needed);
	/* What was in use is as it was. */
	unchanged_half(epoch % 2);
	assert_true(same_image(&after, &wanted));
	assert_true(same_zeros(&after, &wanted));
	if (needed) {
		assert_memory_equal(after.weights, wanted.weights, sizeof(after.weights));
		assert_int_equal(syncs - syncs_before, settled ? 0 : 1);
		assert_int_equal(ages_of_group(&at.view, AGE_SETTLED)->since_ns, epoch);
	}
	return ret;
}

static void random_changes(unsigned int flows)
{
	struct plan_spec want = { 0 };
	unsigned int published = 0, rounds = 6000;

	at.view.size.flows = flows;
	for (unsigned int slot = 0; slot < 4; slot++)
		seat(slot, 1);
	for (unsigned int i = 0; i < rounds; i++) {
		for (unsigned int n = below(3); n < 3; n++)
			change_something(&want);
		published += publish_and_compare(&want);
		/* Again with nothing changed. */
		assert_int_equal(publish_and_compare(&want), 0);
	}
	/* Both were seen often enough to mean something. */
	assert_in_range(published, rounds / 5, rounds * 4 / 5);
}

static void as_the_reference(void **state)
{
	(void)state;
	random_changes(0);
}

static void as_the_reference_with_flows(void **state)
{
	(void)state;
	random_changes(1024);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(as_the_reference, begin, end),
		cmocka_unit_test_setup_teardown(as_the_reference_with_flows, begin, end),
	};

	return cmocka_run_group_tests_name("publish", tests, NULL, NULL);
}
