// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* Compile: turns a policy and the workers' weights into the table. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "policy/apportion.h"
#include "policy/policy.h"
#include "policy/table_compile.h"
#include "policy/table_consistent.h"

/* Turns that "round-robin" has at most before it begins again. */
#define TURNS_MAX 16384

static uint32_t gcd(uint32_t a, uint32_t b)
{
	while (b) {
		uint32_t rest = a % b;

		a = b;
		b = rest;
	}
	return a;
}

/* The fewest entries in which every share is exact, 0 if all weights are. */
static uint64_t exact_width(const uint32_t *weights, unsigned int slots)
{
	uint64_t sum = 0;
	uint32_t common = 0;

	for (unsigned int slot = 0; slot < slots; slot++) {
		sum += weights[slot];
		common = gcd(weights[slot], common);
	}
	return common ? sum / common : 0;
}

/* ----------------------------------------------------------------- one row */

/* Shares of "width" entries, one slot after the other. */
static int fill_runs(uint16_t *entries, uint32_t width, const uint32_t *weights, unsigned int slots)
{
	uint32_t *counts = calloc(slots, sizeof(*counts));
	uint32_t at = 0;

	if (!counts)
		return -ENOMEM;
	apportion(counts, width, weights, slots);
	for (unsigned int slot = 0; slot < slots; slot++)
		for (uint32_t i = 0; i < counts[slot]; i++)
			entries[at++] = slot;
	while (at < width)
		entries[at++] = TABLE_NO_WORKER;
	free(counts);
	return 0;
}

struct turn {
	uint64_t when;
	uint16_t slot;
};

static int by_time(const void *a, const void *b)
{
	const struct turn *x = a, *y = b;

	if (x->when != y->when)
		return x->when < y->when ? -1 : 1;
	return x->slot < y->slot ? -1 : x->slot > y->slot;
}

static uint32_t run_length(const uint16_t *entries, uint32_t first, uint32_t width)
{
	uint32_t end = first + 1;

	while (end < width && entries[end] == entries[first])
		end++;
	return end - first;
}

/*
 * Spreads a row of runs: of n slots with c turns each, the i-th slot's j-th turn
 * comes at (j + (i + 1/2) / n) / c. So they do not all come at once between the
 * turns of a heavier one.
 */
static int spread(uint16_t *entries, uint32_t width)
{
	struct turn *turns = calloc(width, sizeof(*turns));
	uint32_t *slots = calloc(width + 1, sizeof(*slots)); /* by count of turns */
	uint32_t *before = calloc(width + 1, sizeof(*before)), first, c;
	int ret = turns && slots && before ? 0 : -ENOMEM;

	for (first = 0; !ret && first < width; first += c) {
		c = run_length(entries, first, width);
		slots[c]++;
	}
	for (first = 0; !ret && first < width; first += c) {
		c = run_length(entries, first, width);
		for (uint32_t j = 0; j < c; j++)
			turns[first + j] = (struct turn){
				.when = ((2ULL * j * slots[c] + 2 * before[c] + 1) << 32) /
					(2ULL * slots[c] * c),
				.slot = entries[first],
			};
		before[c]++;
	}
	if (!ret) {
		qsort(turns, width, sizeof(*turns), by_time);
		for (uint32_t i = 0; i < width; i++)
			entries[i] = turns[i].slot;
	}
	free(turns);
	free(slots);
	free(before);
	return ret;
}

static int compile_one_row(const struct table_spec *c, uint32_t room, uint16_t *entries,
			   uint32_t *width)
{
	uint64_t exact = exact_width(c->weights, c->slots);
	int ret;

	*width = exact < room ? exact : room;
	if (!exact) {
		*width = 1;
		*entries = TABLE_NO_WORKER;
		return 0;
	}
	ret = fill_runs(entries, *width, c->weights, c->slots);
	if (!ret && c->plan.policy == POLICY_ROUND_ROBIN)
		ret = spread(entries, *width);
	return ret;
}

/* ------------------------------------------------- a row for each CPU or node */

#define RANK_NODE (CPUS_MAX + 1) /* not on the CPU, but on its node */
#define RANK_NONE (CPUS_MAX + 2)

/* How a worker's CPUs lie to a node's. */
enum { SUITS_NOT, SUITS_PARTLY, SUITS_WHOLLY };

struct places {
	const struct table_spec *compile;
	uint32_t rows;
	struct cpus *nodes;    /* CPUs of each node */
	unsigned int *node_of; /* of each CPU */
	unsigned int *narrow;  /* CPUs that each slot's worker may use */
	uint8_t *suits;        /* of each slot and node: SUITS_... */
	unsigned int *ranks;   /* of each slot, for one row */
	uint32_t *candidates;  /* weights by slot, of one row */
};

/* How well the worker suits the row: the smaller the better. */
static unsigned int rank(const struct places *places, uint32_t row, unsigned int slot)
{
	const struct table_spec *c = places->compile;
	const uint8_t *suits = &places->suits[slot * c->node_count];

	if (row == places->rows)
		return 0;
	if (c->plan.policy == POLICY_NUMA)
		return suits[row] == SUITS_NOT ? RANK_NONE : suits[row] == SUITS_PARTLY;
	if (cpus_has(&c->cpus[slot], row))
		return places->narrow[slot];
	return suits[places->node_of[row]] == SUITS_NOT ? RANK_NONE : RANK_NODE;
}

/* Those who suit the row best; all workers if nobody does. */
static void choose_candidates(const struct places *places, uint32_t row)
{
	const struct table_spec *c = places->compile;
	unsigned int best = RANK_NONE;

	for (unsigned int slot = 0; slot < c->slots; slot++) {
		if (!c->weights[slot])
			continue;
		places->ranks[slot] = rank(places, row, slot);
		if (places->ranks[slot] < best)
			best = places->ranks[slot];
	}
	for (unsigned int slot = 0; slot < c->slots; slot++)
		places->candidates[slot] = c->weights[slot] && places->ranks[slot] <= best ?
						   c->weights[slot] :
						   0;
}

/* The fewest entries in which the shares of every row are exact. */
static uint32_t common_width(const struct places *places, uint32_t most)
{
	const struct table_spec *c = places->compile;
	uint64_t width = 1;

	for (uint32_t row = 0; row <= places->rows && width < most; row++) {
		uint64_t exact;

		choose_candidates(places, row);
		exact = exact_width(places->candidates, c->slots);
		if (exact && exact < most)
			width *= exact / gcd(width, exact);
		else if (exact)
			width = most;
	}
	return width < most ? width : most;
}

static int fill_rows(const struct places *places, uint16_t *entries, uint32_t *width)
{
	const struct table_spec *c = places->compile;
	int ret = 0;

	*width = common_width(places, c->room / (places->rows + 1));
	for (uint32_t row = 0; !ret && row <= places->rows; row++) {
		choose_candidates(places, row);
		ret = fill_runs(entries + row * *width, *width, places->candidates, c->slots);
	}
	return ret;
}

static void learn_places(struct places *places)
{
	const struct table_spec *c = places->compile;

	for (unsigned int node = 0; node < c->node_count; node++) {
		if (c->nodes)
			places->nodes[node] = c->nodes[node];
		else
			topology_cpus_of_node(node, &places->nodes[node]);
		for (unsigned int cpu = 0; cpu < c->cpu_count; cpu++)
			if (cpus_has(&places->nodes[node], cpu))
				places->node_of[cpu] = node;
	}
	for (unsigned int slot = 0; slot < c->slots; slot++) {
		if (!c->weights[slot])
			continue;
		places->narrow[slot] = cpus_count(&c->cpus[slot]);
		for (unsigned int node = 0; node < c->node_count; node++)
			places->suits[slot * c->node_count + node] =
				!cpus_meet(&c->cpus[slot], &places->nodes[node])  ? SUITS_NOT :
				cpus_within(&c->cpus[slot], &places->nodes[node]) ? SUITS_WHOLLY :
										    SUITS_PARTLY;
	}
}

static int compile_places(const struct table_spec *c, uint16_t *entries, uint32_t *width)
{
	struct places places = {
		.compile = c,
		.rows = table_compile_rows(&c->plan, c->cpu_count, c->node_count),
		.nodes = calloc(c->node_count, sizeof(*places.nodes)),
		.node_of = calloc(c->cpu_count, sizeof(*places.node_of)),
		.narrow = calloc(c->slots, sizeof(*places.narrow)),
		.suits = calloc((size_t)c->slots * c->node_count, sizeof(*places.suits)),
		.ranks = calloc(c->slots, sizeof(*places.ranks)),
		.candidates = calloc(c->slots, sizeof(*places.candidates)),
	};
	int ret = -ENOMEM;

	if (places.nodes && places.node_of && places.narrow && places.suits && places.ranks &&
	    places.candidates) {
		learn_places(&places);
		ret = fill_rows(&places, entries, width);
	}
	free(places.nodes);
	free(places.node_of);
	free(places.narrow);
	free(places.suits);
	free(places.ranks);
	free(places.candidates);
	return ret;
}

/* -------------------------------------------------------------- consistent */

static int compile_consistent(const struct table_spec *c, uint16_t *entries, uint32_t *width)
{
	*width = c->room;
	if (c->plan.policy == POLICY_WEIGHTED)
		return table_exact_build(entries, c->room, c->weights, c->slots);
	if (!c->before)
		return table_consistent_build(entries, c->room, c->weights, c->slots);
	memcpy(entries, c->before, c->room * sizeof(*entries));
	return table_consistent_change(entries, c->room, c->before_weights, c->weights, c->slots);
}

/* ------------------------------------------------------------------- which */

uint32_t table_compile_rows(const struct plan *plan, unsigned int cpu_count,
			    unsigned int node_count)
{
	if (plan->policy == POLICY_CPU)
		return cpu_count;
	return plan->policy == POLICY_NUMA ? node_count : 0;
}

bool table_compile_by_group(const struct plan *plan, bool restricted)
{
	return (plan->policy == POLICY_HASH || plan->policy == POLICY_LINUX39) && !restricted &&
	       !(plan->flags & PLAN_OWN_HASH);
}

/* Policies that know "some work" and "none" only. */
static int compile_equal(const struct table_spec *c, uint16_t *entries, uint32_t *width)
{
	uint32_t *ones = calloc(c->slots, sizeof(*ones));
	struct table_spec equal = *c;
	int ret;

	if (!ones)
		return -ENOMEM;
	for (unsigned int slot = 0; slot < c->slots; slot++)
		ones[slot] = c->weights[slot] != 0;
	equal.weights = ones;
	ret = compile_one_row(&equal, c->room, entries, width);
	free(ones);
	return ret;
}

int table_compile(const struct table_spec *c, uint16_t *entries, uint32_t *width)
{
	*width = 0;
	if (table_compile_by_group(&c->plan, c->restricted))
		return 0;
	switch (c->plan.policy) {
	case POLICY_HASH:
	case POLICY_LINUX39:
	case POLICY_LEAST_QUEUE:
		return compile_equal(c, entries, width);
	case POLICY_CPU:
	case POLICY_NUMA:
		return compile_places(c, entries, width);
	case POLICY_ROUND_ROBIN:
		return compile_one_row(c, c->room < TURNS_MAX ? c->room : TURNS_MAX, entries,
				       width);
	case POLICY_CONSISTENT:
		return compile_consistent(c, entries, width);
	default:
		if (c->plan.flags & PLAN_OVER_CONSISTENT)
			return compile_consistent(c, entries, width);
		return compile_one_row(c, c->room, entries, width);
	}
}
