// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* Race: the slots that claim the entries of a table. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "policy/claim_order.h"

/* A sort by counting: the heaviest first, those of one weight by number. */
static void sort(struct race *race, const uint32_t *weights, uint32_t slots)
{
	uint32_t next[CONSISTENT_MAX_WEIGHT + 1] = { 0 }, before = 0;

	for (uint32_t slot = 0; slot < slots; slot++)
		next[weights[slot]]++;
	for (uint32_t weight = CONSISTENT_MAX_WEIGHT; weight; weight--) {
		uint32_t count = next[weight];

		next[weight] = before;
		before += count;
	}
	race->runners = before;
	for (uint32_t slot = 0; slot < slots; slot++)
		if (weights[slot])
			race->order[next[weights[slot]]++] = slot;
}

static int check(uint32_t entries, const uint32_t *weights, uint32_t slots)
{
	if (entries < 1U << CONSISTENT_MIN_BITS || entries > 1U << CONSISTENT_MAX_BITS ||
	    entries & (entries - 1) || slots > CONSISTENT_NONE)
		return -EINVAL;
	for (uint32_t slot = 0; slot < slots; slot++)
		if (weights[slot] > CONSISTENT_MAX_WEIGHT)
			return -EINVAL;
	return 0;
}

int race_open(struct race *race, uint32_t entries, const uint32_t *weights, uint32_t slots)
{
	int ret = check(entries, weights, slots);

	*race = (struct race){ .bits = __builtin_ctz(entries | 1U << 31), .entries = entries };
	if (ret)
		return ret;
	race->slot = malloc(slots * sizeof(*race->slot) + 1);
	race->order = malloc(slots * sizeof(*race->order) + 1);
	race->clock = malloc(entries * sizeof(*race->clock));
	race->settled = calloc(entries / 64, sizeof(*race->settled));
	if (!race->slot || !race->order || !race->clock || !race->settled) {
		race_close(race);
		return -ENOMEM;
	}
	for (uint32_t slot = 0; slot < slots; slot++) {
		race->slot[slot] = consistent_slot(slot, weights[slot]);
		race->weight += weights[slot];
	}
	sort(race, weights, slots);
	consistent_clocks(race->clock, entries);
	race->open = entries;
	return 0;
}

void race_close(struct race *race)
{
	free(race->slot);
	free(race->order);
	free(race->clock);
	free(race->settled);
}

void race_settle(struct race *race, const uint16_t *table)
{
	race->open = race->entries;
	for (uint32_t i = 0; i < race->entries / 64; i++) {
		uint64_t word = 0;

		for (uint32_t bit = 0; bit < 64; bit++)
			word |= (uint64_t)(table[i * 64 + bit] != CONSISTENT_NONE) << bit;
		race->settled[i] = word;
		race->open -= __builtin_popcountll(word);
	}
}

uint32_t race_claims(const struct race *race, uint64_t horizon, uint32_t weight)
{
	/* A clock is in units of 2^-27; the horizon in 2^-2 of 1 / all weight. */
	uint64_t clock = horizon << 25, end;
	uint32_t low = 0, high = race->entries;

	/*
	 * Rounded up, which for whole clocks is the very limit: whoever is beyond
	 * it claims later than all of those who are not, whatever their weights.
	 */
	end = clock / race->weight * weight +
	      (clock % race->weight * weight + race->weight - 1) / race->weight;
	while (low < high) {
		uint32_t middle = low + (high - low) / 2;

		if (race->clock[middle] < end)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}
