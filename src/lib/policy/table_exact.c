// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/*
 * The table with shares that are right to the entry. The claims take effect in
 * the order of their times, and a slot that has its share claims no more.
 *
 * That is the one stable assignment of entries and slots where both prefer the
 * earlier claims, so the order in which it is computed does not matter (Gale and
 * Shapley, "College admissions and the stability of marriage", 1962): a slot
 * takes an entry from a later claim at any time, and who loses one claims on.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "policy/apportion.h"
#include "policy/claim_order.h"
#include "policy/table_consistent.h"

/* So many open entries are decided one by one: for the last, walks are long. */
#define END_GAME 512

struct fill {
	struct race race;
	uint16_t *table;
	uint32_t *room; /* by slot: entries that it lacks */
	uint32_t *next; /* by slot: the rank of its next claim */
};

/* The slot claims on, up to the rank "last". Whether another lost an entry. */
static bool walk(struct fill *fill, uint16_t slot, uint32_t last)
{
	struct consistent_slot back = consistent_backward(&fill->race.slot[slot]);
	uint32_t rank = fill->next[slot], room = fill->room[slot];
	bool lost = false;

	for (; room && rank < last; rank++) {
		uint32_t entry = consistent_claimed(&back, rank, fill->race.bits);
		uint16_t owner;

		if (race_settled(&fill->race, entry))
			continue;
		owner = fill->table[entry];
		if (owner != CONSISTENT_NONE) {
			if (!race_beats(&fill->race, slot, rank, owner, entry))
				continue;
			fill->room[owner]++;
			lost = true;
		}
		fill->table[entry] = slot;
		room--;
	}
	fill->room[slot] = room;
	fill->next[slot] = rank;
	return lost;
}

/*
 * All claims before the horizon. No later one is before those, so that what is
 * taken then is settled.
 */
static void walk_all(struct fill *fill, uint64_t horizon)
{
	struct race *race = &fill->race;
	uint32_t weight = 0, last = 0;
	bool lost;

	do {
		lost = false;
		for (uint32_t i = 0; i < race->runners; i++) {
			uint16_t slot = race->order[i];

			if (!fill->room[slot])
				continue;
			if (race->slot[slot].weight != weight) {
				weight = race->slot[slot].weight;
				last = race_claims(race, horizon, weight);
			}
			lost |= walk(fill, slot, last);
		}
	} while (lost);
	race_settle(race, fill->table);
}

/* The earliest claim on the entry by a slot with room; those are the first "n". */
static struct consistent_claim earliest(const struct race *race, const uint16_t *slots, uint32_t n,
					uint32_t entry)
{
	struct consistent_claim best = { 0 };

	for (uint32_t i = 0; i < n; i++) {
		const struct consistent_slot *slot = &race->slot[slots[i]];
		struct consistent_claim claim = {
			race->clock[consistent_rank(slot, entry, race->bits)],
			slot->weight,
			slots[i],
		};

		if (!best.weight || consistent_precedes(&claim, &best))
			best = claim;
	}
	return best;
}

struct pending {
	uint32_t entry;
	struct consistent_claim claim;
};

/* Takes a slot out of the list, and decides anew where it was the earliest. */
static uint32_t drop(const struct race *race, struct pending *pending, uint32_t open,
		     uint16_t *slots, uint32_t n, uint32_t slot)
{
	for (uint32_t i = 0; i < n; i++)
		if (slots[i] == slot)
			slots[i--] = slots[--n];
	for (uint32_t i = 0; i < open; i++)
		if (pending[i].claim.slot == slot)
			pending[i].claim = earliest(race, slots, n, pending[i].entry);
	return n;
}

/* The earliest claim of all on the open entries takes effect, until none is open. */
static void end_game(struct fill *fill)
{
	struct race *race = &fill->race;
	struct pending pending[END_GAME];
	uint16_t slots[END_GAME];
	uint32_t n = 0, open = 0, slot;

	for (uint32_t i = 0; i < race->runners; i++)
		if (fill->room[race->order[i]])
			slots[n++] = race->order[i];
	for (uint32_t entry = 0; entry < race->entries; entry++) {
		if (fill->table[entry] != CONSISTENT_NONE)
			continue;
		pending[open].entry = entry;
		pending[open++].claim = earliest(race, slots, n, entry);
	}
	while (open) {
		uint32_t first = 0;

		for (uint32_t i = 1; i < open; i++)
			if (consistent_precedes(&pending[i].claim, &pending[first].claim))
				first = i;
		slot = pending[first].claim.slot;
		fill->table[pending[first].entry] = slot;
		pending[first] = pending[--open];
		if (!--fill->room[slot])
			n = drop(race, pending, open, slots, n, slot);
	}
}

static void assign(struct fill *fill)
{
	uint64_t horizon = 0;

	while (fill->race.open > END_GAME) {
		horizon += 2 + horizon / 4;
		walk_all(fill, horizon);
	}
	end_game(fill);
}

int table_exact_build(uint16_t *table, uint32_t entries, const uint32_t *weights, uint32_t slots)
{
	struct fill fill = { .table = table };
	int ret = race_open(&fill.race, entries, weights, slots);

	if (ret)
		return ret;
	fill.room = malloc(slots * sizeof(*fill.room) + 1);
	fill.next = calloc(slots + 1, sizeof(*fill.next));
	if (fill.room && fill.next) {
		apportion(fill.room, entries, weights, slots);
		memset(table, 0xff, entries * sizeof(*table));
		if (fill.race.runners)
			assign(&fill);
	} else {
		ret = -ENOMEM;
	}
	free(fill.room);
	free(fill.next);
	race_close(&fill.race);
	return ret;
}
