// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/*
 * The table of policy "consistent". There are two ways to find the earliest claim on an
 * entry: walk through the early claims of every slot, which decides many entries at
 * once; or compare every slot's claim on that entry, for the few that are left.
 */
#include <string.h>

#include "policy/claim_order.h"
#include "policy/table_consistent.h"

/* To look at one slot's claim on an entry costs a quarter of a step of a walk. */
#define LOOKS_PER_STEP 4
/* If more slots gain weight, a table from scratch costs less. */
#define MAX_GAINING 6

/* Walk through the claims of one slot from one rank up to another. */
static void walk_claims(struct claim_order *claims, uint16_t *table, uint16_t slot, uint32_t from,
			uint32_t to)
{
	struct consistent_slot back = consistent_backward(&claims->slot[slot]);
	uint32_t bits = claims->bits;

	for (uint32_t rank = from; rank < to; rank++) {
		uint32_t entry = consistent_claimed(&back, rank, bits);

		if (claim_order_is_settled(claims, entry))
			continue;
		if (table[entry] == CONSISTENT_NONE ||
		    claim_order_beats(claims, slot, rank, table[entry], entry))
			table[entry] = slot;
	}
}

/* Walk through every slot's claims between two times. Entries that have an owner then
 * are settled. */
static void walk_all_claims(struct claim_order *claims, uint16_t *table, uint64_t from, uint64_t to)
{
	uint32_t weight = 0, first = 0, last = 0;

	for (uint32_t i = 0; i < claims->claimants; i++) {
		uint16_t slot = claims->by_weight[i];

		if (claims->slot[slot].weight != weight) {
			weight = claims->slot[slot].weight;
			first = claim_order_count(claims, from, weight);
			last = claim_order_count(claims, to, weight);
		}
		walk_claims(claims, table, slot, first, last);
	}
	claim_order_settle(claims, table);
}

/*
 * Return the slot with the earliest claim on the entry. The heaviest come first: after
 * them only a lower rank can be earlier, which saves the look at most clocks.
 */
static uint16_t earliest_claimant(const struct claim_order *claims, uint32_t entry)
{
	struct consistent_claim best = { .slot = CONSISTENT_NONE };
	uint32_t lowest = claims->entries;

	for (uint32_t i = 0; i < claims->claimants; i++) {
		const struct consistent_slot *slot = &claims->slot[claims->by_weight[i]];
		uint32_t rank = consistent_rank(slot, entry, claims->bits);
		struct consistent_claim claim;

		if (rank >= lowest)
			continue;
		claim = (struct consistent_claim){ claims->clock[rank], slot->weight,
						   claims->by_weight[i] };
		if (best.slot == CONSISTENT_NONE || consistent_precedes(&claim, &best)) {
			best = claim;
			lowest = rank;
		}
	}
	return best.slot;
}

/* Decide the entries that are open; the others have the right owner. */
static void decide_open_entries(struct claim_order *claims, uint16_t *table)
{
	uint64_t time = 0;

	claim_order_settle(claims, table);
	/*
	 * As long as the walk costs less than it saves: after h steps for each entry of
	 * the table, a fraction exp(-h) of the entries is open.
	 */
	while ((uint64_t)claims->open * claims->claimants >
	       (uint64_t)LOOKS_PER_STEP * claims->entries) {
		walk_all_claims(claims, table, time, time + 2);
		time += 2;
	}
	for (uint32_t entry = 0; entry < claims->entries && claims->open; entry++) {
		if (table[entry] != CONSISTENT_NONE)
			continue;
		table[entry] = earliest_claimant(claims, entry);
		claims->open--;
	}
}

int table_consistent_build(uint16_t *table, uint32_t entries, const uint32_t *weights,
			   uint32_t slots)
{
	struct claim_order claims;
	int ret = claim_order_open(&claims, entries, weights, slots);

	if (ret)
		return ret;
	memset(table, 0xff, entries * sizeof(*table));
	decide_open_entries(&claims, table);
	claim_order_close(&claims);
	return 0;
}

/* Open the entries of the slots that lose weight. */
static void open_losers(struct claim_order *claims, uint16_t *table, const uint32_t *before,
			const uint32_t *after)
{
	for (uint32_t entry = 0; entry < claims->entries; entry++) {
		uint16_t owner = table[entry];

		if (after[owner] < before[owner])
			table[entry] = CONSISTENT_NONE;
	}
}

/* Give the slot the entries that it claims before their owner. */
static void take_gained_entries(const struct claim_order *claims, uint16_t *table, uint16_t slot)
{
	const struct consistent_slot keys = claims->slot[slot];

	for (uint32_t entry = 0; entry < claims->entries; entry++) {
		uint32_t rank = consistent_rank(&keys, entry, claims->bits);
		uint16_t owner = table[entry];

		if (owner != CONSISTENT_NONE && owner != slot &&
		    claim_order_beats(claims, slot, rank, owner, entry))
			table[entry] = slot;
	}
}

/* Return whether each entry has an owner that there can be: the table is read from a map, which
 * others may have written. */
static bool has_owners(const uint16_t *table, uint32_t entries, uint32_t slots)
{
	for (uint32_t entry = 0; entry < entries; entry++)
		if (table[entry] >= slots)
			return false;
	return true;
}

int table_consistent_change(uint16_t *table, uint32_t entries, const uint32_t *before,
			    const uint32_t *after, uint32_t slots)
{
	uint32_t gaining = 0, losing = 0;
	struct claim_order claims;
	int ret;

	for (uint32_t slot = 0; slot < slots; slot++) {
		gaining += after[slot] > before[slot];
		losing += after[slot] < before[slot];
	}
	if (!gaining && !losing)
		return 0;
	if (gaining > MAX_GAINING || !has_owners(table, entries, slots))
		return table_consistent_build(table, entries, after, slots);
	ret = claim_order_open(&claims, entries, after, slots);
	if (ret)
		return ret;
	if (losing)
		open_losers(&claims, table, before, after);
	for (uint32_t slot = 0; slot < slots; slot++)
		if (after[slot] > before[slot])
			take_gained_entries(&claims, table, slot);
	if (losing)
		decide_open_entries(&claims, table);
	claim_order_close(&claims);
	return 0;
}
