// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* Claim order: the order in which the slots claim the entries of a table. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "policy/claim_order.h"

/* Sort the claimants by counting: the heaviest first, equal weights by number. */
static void sort_claimants(struct claim_order *claims, const uint32_t *weights, uint32_t slots)
{
	uint32_t next[CONSISTENT_MAX_WEIGHT + 1] = { 0 }, before = 0;

	for (uint32_t slot = 0; slot < slots; slot++)
		next[weights[slot]]++;
	for (uint32_t weight = CONSISTENT_MAX_WEIGHT; weight; weight--) {
		uint32_t count = next[weight];

		next[weight] = before;
		before += count;
	}
	claims->claimants = before;
	for (uint32_t slot = 0; slot < slots; slot++)
		if (weights[slot])
			claims->by_weight[next[weights[slot]]++] = slot;
}

static int check_claims(uint32_t entries, const uint32_t *weights, uint32_t slots)
{
	if (entries < 1U << CONSISTENT_MIN_BITS || entries > 1U << CONSISTENT_MAX_BITS ||
	    entries & (entries - 1) || slots > CONSISTENT_NONE)
		return -EINVAL;
	for (uint32_t slot = 0; slot < slots; slot++)
		if (weights[slot] > CONSISTENT_MAX_WEIGHT)
			return -EINVAL;
	return 0;
}

int claim_order_open(struct claim_order *claims, uint32_t entries, const uint32_t *weights,
		     uint32_t slots)
{
	int ret = check_claims(entries, weights, slots);

	*claims = (struct claim_order){ .bits = __builtin_ctz(entries | 1U << 31),
					.entries = entries };
	if (ret)
		return ret;
	claims->slot = malloc(slots * sizeof(*claims->slot) + 1);
	claims->by_weight = malloc(slots * sizeof(*claims->by_weight) + 1);
	claims->clock = malloc(entries * sizeof(*claims->clock));
	claims->settled = calloc(entries / 64, sizeof(*claims->settled));
	if (!claims->slot || !claims->by_weight || !claims->clock || !claims->settled) {
		claim_order_close(claims);
		return -ENOMEM;
	}
	for (uint32_t slot = 0; slot < slots; slot++) {
		claims->slot[slot] = consistent_slot(slot, weights[slot]);
		claims->weight += weights[slot];
	}
	sort_claimants(claims, weights, slots);
	consistent_clocks(claims->clock, entries);
	claims->open = entries;
	return 0;
}

void claim_order_close(struct claim_order *claims)
{
	free(claims->slot);
	free(claims->by_weight);
	free(claims->clock);
	free(claims->settled);
}

void claim_order_settle(struct claim_order *claims, const uint16_t *table)
{
	claims->open = claims->entries;
	for (uint32_t i = 0; i < claims->entries / 64; i++) {
		uint64_t word = 0;

		for (uint32_t bit = 0; bit < 64; bit++)
			word |= (uint64_t)(table[i * 64 + bit] != CONSISTENT_NONE) << bit;
		claims->settled[i] = word;
		claims->open -= __builtin_popcountll(word);
	}
}

uint32_t claim_order_count(const struct claim_order *claims, uint64_t until, uint32_t weight)
{
	/* The unit of a clock is 2^-27, that of "until" is 2^-2, both of 1 / all weight. */
	uint64_t clock = until << 25, end;
	uint32_t low = 0, high = claims->entries;

	/*
	 * Rounded up, which is exact for whole clocks: every claim beyond this limit
	 * is later than every claim before it, for any weights.
	 */
	end = clock / claims->weight * weight +
	      (clock % claims->weight * weight + claims->weight - 1) / claims->weight;
	while (low < high) {
		uint32_t middle = low + (high - low) / 2;

		if (claims->clock[middle] < end)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}
