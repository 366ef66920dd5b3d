// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* Table compiler: turn a policy and the workers' weights into the table. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "policy/apportion.h"
#include "policy/policy.h"
#include "policy/table_compile.h"
#include "policy/table_consistent.h"

/* Maximum number of turns of "round-robin" before they repeat. */
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

/* Return the least width at which every share is exact; 0 if all weights are 0. */
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

/* Fill a row with the shares, one slot after the other. */
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

static int compare_turns(const void *a, const void *b)
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
 * Spread a row of runs: among n slots with c turns each, the i-th slot's j-th turn comes
 * at (j + (i + 1/2) / n) / c. So the turns of equal slots do not come all at once
 * between two turns of a heavier one.
 */
static int spread_turns(uint16_t *entries, uint32_t width)
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
		qsort(turns, width, sizeof(*turns), compare_turns);
		for (uint32_t i = 0; i < width; i++)
			entries[i] = turns[i].slot;
	}
	free(turns);
	free(slots);
	free(before);
	return ret;
}

static int compile_one_row(const struct table_spec *spec, uint32_t room, uint16_t *entries,
			   uint32_t *width)
{
	uint64_t exact = exact_width(spec->weights, spec->slots);
	int ret;

	*width = exact < room ? exact : room;
	if (!exact) {
		*width = 1;
		*entries = TABLE_NO_WORKER;
		return 0;
	}
	ret = fill_runs(entries, *width, spec->weights, spec->slots);
	if (!ret && spec->plan.policy == POLICY_ROUND_ROBIN)
		ret = spread_turns(entries, *width);
	return ret;
}

/* ------------------------------------------------- a row for each CPU or node */

#define RANK_NODE (CPUS_MAX + 1) /* not on the CPU but on its node */
#define RANK_NONE (CPUS_MAX + 2)

/* Whether a worker's CPUs are on a node. */
enum { SUITS_NOT, SUITS_PARTLY, SUITS_WHOLLY };

/* Where the workers run. */
struct places {
	const struct table_spec *spec;
	uint32_t rows;
	struct cpus *nodes;    /* CPUs of each node */
	unsigned int *node_of; /* of each CPU */
	unsigned int *narrow;  /* CPUs that each slot's worker may use */
	uint8_t *suits;        /* of each slot and node: SUITS_... */
	unsigned int *ranks;   /* of each slot, for one row */
	uint32_t *candidates;  /* weights by slot, of one row */
};

/* Return how well the worker suits the row: the smaller, the better. */
static unsigned int place_rank(const struct places *places, uint32_t row, unsigned int slot)
{
	const struct table_spec *spec = places->spec;
	const uint8_t *suits = &places->suits[slot * spec->node_count];

	if (row == places->rows)
		return 0;
	if (spec->plan.policy == POLICY_NUMA)
		return suits[row] == SUITS_NOT ? RANK_NONE : suits[row] == SUITS_PARTLY;
	if (cpus_has(&spec->cpus[slot], row))
		return places->narrow[slot];
	return suits[places->node_of[row]] == SUITS_NOT ? RANK_NONE : RANK_NODE;
}

/* Choose the workers that suit the row best; all workers if none does. */
static void choose_candidates(const struct places *places, uint32_t row)
{
	const struct table_spec *spec = places->spec;
	unsigned int best = RANK_NONE;

	for (unsigned int slot = 0; slot < spec->slots; slot++) {
		if (!spec->weights[slot])
			continue;
		places->ranks[slot] = place_rank(places, row, slot);
		if (places->ranks[slot] < best)
			best = places->ranks[slot];
	}
	for (unsigned int slot = 0; slot < spec->slots; slot++)
		places->candidates[slot] = spec->weights[slot] && places->ranks[slot] <= best ?
						   spec->weights[slot] :
						   0;
}

/* Return the least width at which the shares of every row are exact. */
static uint32_t common_width(const struct places *places, uint32_t most)
{
	const struct table_spec *spec = places->spec;
	uint64_t width = 1;

	for (uint32_t row = 0; row <= places->rows && width < most; row++) {
		uint64_t exact;

		choose_candidates(places, row);
		exact = exact_width(places->candidates, spec->slots);
		if (exact && exact < most)
			width *= exact / gcd(width, exact);
		else if (exact)
			width = most;
	}
	return width < most ? width : most;
}

static int fill_rows(const struct places *places, uint16_t *entries, uint32_t *width)
{
	const struct table_spec *spec = places->spec;
	int ret = 0;

	*width = common_width(places, spec->room / (places->rows + 1));
	for (uint32_t row = 0; !ret && row <= places->rows; row++) {
		choose_candidates(places, row);
		ret = fill_runs(entries + row * *width, *width, places->candidates, spec->slots);
	}
	return ret;
}

static void learn_places(struct places *places)
{
	const struct table_spec *spec = places->spec;

	for (unsigned int node = 0; node < spec->node_count; node++) {
		if (spec->nodes)
			places->nodes[node] = spec->nodes[node];
		else
			topology_cpus_of_node(node, &places->nodes[node]);
		for (unsigned int cpu = 0; cpu < spec->cpu_count; cpu++)
			if (cpus_has(&places->nodes[node], cpu))
				places->node_of[cpu] = node;
	}
	for (unsigned int slot = 0; slot < spec->slots; slot++) {
		if (!spec->weights[slot])
			continue;
		places->narrow[slot] = cpus_count(&spec->cpus[slot]);
		for (unsigned int node = 0; node < spec->node_count; node++)
			places->suits[slot * spec->node_count + node] =
				!cpus_meet(&spec->cpus[slot], &places->nodes[node]) ? SUITS_NOT :
				cpus_within(&spec->cpus[slot], &places->nodes[node]) ?
										      SUITS_WHOLLY :
										      SUITS_PARTLY;
	}
}

static int compile_places(const struct table_spec *spec, uint16_t *entries, uint32_t *width)
{
	struct places places = {
		.spec = spec,
		.rows = table_compile_rows(&spec->plan, spec->cpu_count, spec->node_count),
		.nodes = calloc(spec->node_count, sizeof(*places.nodes)),
		.node_of = calloc(spec->cpu_count, sizeof(*places.node_of)),
		.narrow = calloc(spec->slots, sizeof(*places.narrow)),
		.suits = calloc((size_t)spec->slots * spec->node_count, sizeof(*places.suits)),
		.ranks = calloc(spec->slots, sizeof(*places.ranks)),
		.candidates = calloc(spec->slots, sizeof(*places.candidates)),
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

static int compile_consistent(const struct table_spec *spec, uint16_t *entries, uint32_t *width)
{
	*width = spec->room;
	if (spec->plan.policy == POLICY_WEIGHTED)
		return table_exact_build(entries, spec->room, spec->weights, spec->slots);
	if (!spec->before)
		return table_consistent_build(entries, spec->room, spec->weights, spec->slots);
	memcpy(entries, spec->before, spec->room * sizeof(*entries));
	return table_consistent_change(entries, spec->room, spec->before_weights, spec->weights,
				       spec->slots);
}

/* -------------------------------------------------------- by the policy */

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

/* Compile for a policy that knows no weight but 0 and 1. */
static int compile_equal(const struct table_spec *spec, uint16_t *entries, uint32_t *width)
{
	uint32_t *ones = calloc(spec->slots, sizeof(*ones));
	struct table_spec equal = *spec;
	int ret;

	if (!ones)
		return -ENOMEM;
	for (unsigned int slot = 0; slot < spec->slots; slot++)
		ones[slot] = spec->weights[slot] != 0;
	equal.weights = ones;
	ret = compile_one_row(&equal, spec->room, entries, width);
	free(ones);
	return ret;
}

int table_compile(const struct table_spec *spec, uint16_t *entries, uint32_t *width)
{
	*width = 0;
	if (table_compile_by_group(&spec->plan, spec->restricted))
		return 0;
	switch (spec->plan.policy) {
	case POLICY_HASH:
	case POLICY_LINUX39:
	case POLICY_LEAST_QUEUE:
		return compile_equal(spec, entries, width);
	case POLICY_CPU:
	case POLICY_NUMA:
		return compile_places(spec, entries, width);
	case POLICY_ROUND_ROBIN:
		return compile_one_row(spec, spec->room < TURNS_MAX ? spec->room : TURNS_MAX,
				       entries, width);
	case POLICY_CONSISTENT:
		return compile_consistent(spec, entries, width);
	default:
		if (spec->plan.flags & PLAN_OVER_CONSISTENT)
			return compile_consistent(spec, entries, width);
		return compile_one_row(spec, spec->room, entries, width);
	}
}
