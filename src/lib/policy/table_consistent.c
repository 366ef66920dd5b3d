// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/*
 * The table of policy "consistent". Two ways lead to the earliest claim of an
 * entry: to walk through the early claims of every slot, which serves many
 * entries at once, and to look at every slot's claim on that entry, which is for
 * the few that are left.
 */
#include <string.h>

#include "policy/claim_order.h"
#include "policy/table_consistent.h"

/* A look at one slot's claim on an entry costs a quarter of a step of a walk. */
#define LOOKS_PER_STEP 4
/* More slots that gain than that, and a table from scratch costs less. */
#define MAX_GAINING 6

/* The claims of one slot from one rank up to another. */
static void walk(struct race *race, uint16_t *table, uint16_t slot, uint32_t from, uint32_t to)
{
	struct consistent_slot back = consistent_backward(&race->slot[slot]);
	uint32_t bits = race->bits;

	for (uint32_t rank = from; rank < to; rank++) {
		uint32_t entry = consistent_claimed(&back, rank, bits);

		if (race_settled(race, entry))
			continue;
		if (table[entry] == CONSISTENT_NONE ||
		    race_beats(race, slot, rank, table[entry], entry))
			table[entry] = slot;
	}
}

/* Every slot's claims between two horizons. What is taken then is settled. */
static void walk_all(struct race *race, uint16_t *table, uint64_t from, uint64_t to)
{
	uint32_t weight = 0, first = 0, last = 0;

	for (uint32_t i = 0; i < race->runners; i++) {
		uint16_t slot = race->order[i];

		if (race->slot[slot].weight != weight) {
			weight = race->slot[slot].weight;
			first = race_claims(race, from, weight);
			last = race_claims(race, to, weight);
		}
		walk(race, table, slot, first, last);
	}
	race_settle(race, table);
}

/*
 * The slot with the earliest claim on the entry. The heaviest come first: after
 * them only a lower rank can be earlier, which spares the clocks.
 */
static uint16_t earliest(const struct race *race, uint32_t entry)
{
	struct consistent_claim best = { .slot = CONSISTENT_NONE };
	uint32_t lowest = race->entries;

	for (uint32_t i = 0; i < race->runners; i++) {
		const struct consistent_slot *slot = &race->slot[race->order[i]];
		uint32_t rank = consistent_rank(slot, entry, race->bits);
		struct consistent_claim claim;

		if (rank >= lowest)
			continue;
		claim = (struct consistent_claim){ race->clock[rank], slot->weight,
						   race->order[i] };
		if (best.slot == CONSISTENT_NONE || consistent_precedes(&claim, &best)) {
			best = claim;
			lowest = rank;
		}
	}
	return best.slot;
}

/* Decides the entries that are open; the others are right. */
static void decide(struct race *race, uint16_t *table)
{
	uint64_t horizon = 0;

	race_settle(race, table);
	/*
	 * As long as it costs less than it saves: a walk of h steps by entry of the
	 * table leaves exp(-h) of the open ones.
	 */
	while ((uint64_t)race->open * race->runners > (uint64_t)LOOKS_PER_STEP * race->entries) {
		walk_all(race, table, horizon, horizon + 2);
		horizon += 2;
	}
	for (uint32_t entry = 0; entry < race->entries && race->open; entry++) {
		if (table[entry] != CONSISTENT_NONE)
			continue;
		table[entry] = earliest(race, entry);
		race->open--;
	}
}

int table_consistent_build(uint16_t *table, uint32_t entries, const uint32_t *weights,
			   uint32_t slots)
{
	struct race race;
	int ret = race_open(&race, entries, weights, slots);

	if (ret)
		return ret;
	memset(table, 0xff, entries * sizeof(*table));
	decide(&race, table);
	race_close(&race);
	return 0;
}

/* Opens the entries of the slots that lose weight. */
static void open_losers(struct race *race, uint16_t *table, const uint32_t *before,
			const uint32_t *after)
{
	for (uint32_t entry = 0; entry < race->entries; entry++) {
		uint16_t owner = table[entry];

		if (after[owner] < before[owner])
			table[entry] = CONSISTENT_NONE;
	}
}

/* Gives the slot the entries that it claims before their owner. */
static void gain(const struct race *race, uint16_t *table, uint16_t slot)
{
	const struct consistent_slot keys = race->slot[slot];

	for (uint32_t entry = 0; entry < race->entries; entry++) {
		uint32_t rank = consistent_rank(&keys, entry, race->bits);
		uint16_t owner = table[entry];

		if (owner != CONSISTENT_NONE && owner != slot &&
		    race_beats(race, slot, rank, owner, entry))
			table[entry] = slot;
	}
}

int table_consistent_change(uint16_t *table, uint32_t entries, const uint32_t *before,
			    const uint32_t *after, uint32_t slots)
{
	uint32_t gaining = 0, losing = 0;
	struct race race;
	int ret;

	for (uint32_t slot = 0; slot < slots; slot++) {
		gaining += after[slot] > before[slot];
		losing += after[slot] < before[slot];
	}
	if (!gaining && !losing)
		return 0;
	if (gaining > MAX_GAINING || table[0] == CONSISTENT_NONE)
		return table_consistent_build(table, entries, after, slots);
	ret = race_open(&race, entries, after, slots);
	if (ret)
		return ret;
	if (losing)
		open_losers(&race, table, before, after);
	for (uint32_t slot = 0; slot < slots; slot++)
		if (after[slot] > before[slot])
			gain(&race, table, slot);
	if (losing)
		decide(&race, table);
	race_close(&race);
	return 0;
}
