// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/*
 * The table with shares that are exact to one entry. The claims take effect in the
 * order of their times, and a slot that has its share stops claiming.
 *
 * This is the only stable assignment of entries to slots where both prefer earlier
 * claims, so it does not depend on the order of computation (Gale and Shapley, "College
 * admissions and the stability of marriage", 1962): a slot takes an entry from a later
 * claim at any time, and a slot that loses an entry continues to claim.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "policy/apportion.h"
#include "policy/claim_order.h"
#include "policy/table_consistent.h"

/* The last open entries are decided one by one, because walks for them are long. */
#define LAST_ENTRIES 512

struct fill {
	struct claim_order claims;
	uint16_t *table;
	uint32_t *lacks; /* by slot: number of entries that it lacks */
	uint32_t *next;  /* by slot: the rank of its next claim */
};

/* Let the slot claim up to the rank "last". Return whether another lost an entry. */
static bool claim_until_full(struct fill *fill, uint16_t slot, uint32_t last)
{
	struct consistent_slot back = consistent_backward(&fill->claims.slot[slot]);
	uint32_t rank = fill->next[slot], lacks = fill->lacks[slot];
	bool lost = false;

	for (; lacks && rank < last; rank++) {
		uint32_t entry = consistent_claimed(&back, rank, fill->claims.bits);
		uint16_t owner;

		if (claim_order_is_settled(&fill->claims, entry))
			continue;
		owner = fill->table[entry];
		if (owner != CONSISTENT_NONE) {
			if (!claim_order_beats(&fill->claims, slot, rank, owner, entry))
				continue;
			fill->lacks[owner]++;
			lost = true;
		}
		fill->table[entry] = slot;
		lacks--;
	}
	fill->lacks[slot] = lacks;
	fill->next[slot] = rank;
	return lost;
}

/*
 * Let all slots claim until a time. Every further claim is later, so entries that have
 * an owner then are settled.
 */
static void claim_until_time(struct fill *fill, uint64_t until)
{
	struct claim_order *claims = &fill->claims;
	uint32_t weight = 0, last = 0;
	bool lost;

	do {
		lost = false;
		for (uint32_t i = 0; i < claims->claimants; i++) {
			uint16_t slot = claims->by_weight[i];

			if (!fill->lacks[slot])
				continue;
			if (claims->slot[slot].weight != weight) {
				weight = claims->slot[slot].weight;
				last = claim_order_count(claims, until, weight);
			}
			lost |= claim_until_full(fill, slot, last);
		}
	} while (lost);
	claim_order_settle(claims, fill->table);
}

/* Return the earliest claim on the entry by one of the first "n" slots, which lack
 * entries. */
static struct consistent_claim earliest_claim(const struct claim_order *claims,
					      const uint16_t *slots, uint32_t n, uint32_t entry)
{
	struct consistent_claim best = { 0 };

	for (uint32_t i = 0; i < n; i++) {
		const struct consistent_slot *slot = &claims->slot[slots[i]];
		struct consistent_claim claim = {
			claims->clock[consistent_rank(slot, entry, claims->bits)],
			slot->weight,
			slots[i],
		};

		if (!best.weight || consistent_precedes(&claim, &best))
			best = claim;
	}
	return best;
}

/* An open entry, and the earliest claim on it so far. */
struct pending {
	uint32_t entry;
	struct consistent_claim claim;
};

/* Take a slot out of the list, and decide again where its claim was the earliest. Return
 * the new length of the list. */
static uint32_t drop_full_slot(const struct claim_order *claims, struct pending *pending,
			       uint32_t open, uint16_t *slots, uint32_t n, uint32_t slot)
{
	for (uint32_t i = 0; i < n; i++)
		if (slots[i] == slot)
			slots[i--] = slots[--n];
	for (uint32_t i = 0; i < open; i++)
		if (pending[i].claim.slot == slot)
			pending[i].claim = earliest_claim(claims, slots, n, pending[i].entry);
	return n;
}

/* Let the earliest of all claims on the open entries take effect, until none is open. */
static void decide_last_entries(struct fill *fill)
{
	struct claim_order *claims = &fill->claims;
	struct pending pending[LAST_ENTRIES];
	uint16_t slots[LAST_ENTRIES];
	uint32_t n = 0, open = 0, slot;

	for (uint32_t i = 0; i < claims->claimants; i++)
		if (fill->lacks[claims->by_weight[i]])
			slots[n++] = claims->by_weight[i];
	for (uint32_t entry = 0; entry < claims->entries; entry++) {
		if (fill->table[entry] != CONSISTENT_NONE)
			continue;
		pending[open].entry = entry;
		pending[open++].claim = earliest_claim(claims, slots, n, entry);
	}
	while (open) {
		uint32_t first = 0;

		for (uint32_t i = 1; i < open; i++)
			if (consistent_precedes(&pending[i].claim, &pending[first].claim))
				first = i;
		slot = pending[first].claim.slot;
		fill->table[pending[first].entry] = slot;
		pending[first] = pending[--open];
		if (!--fill->lacks[slot])
			n = drop_full_slot(claims, pending, open, slots, n, slot);
	}
}

static void assign_entries(struct fill *fill)
{
	uint64_t time = 0;

	while (fill->claims.open > LAST_ENTRIES) {
		time += 2 + time / 4;
		claim_until_time(fill, time);
	}
	decide_last_entries(fill);
}

int table_exact_build(uint16_t *table, uint32_t entries, const uint32_t *weights, uint32_t slots)
{
	struct fill fill = { .table = table };
	int ret = claim_order_open(&fill.claims, entries, weights, slots);

	if (ret)
		return ret;
	fill.lacks = malloc(slots * sizeof(*fill.lacks) + 1);
	fill.next = calloc(slots + 1, sizeof(*fill.next));
	if (fill.lacks && fill.next) {
		apportion(fill.lacks, entries, weights, slots);
		memset(table, 0xff, entries * sizeof(*table));
		if (fill.claims.claimants)
			assign_entries(&fill);
	} else {
		ret = -ENOMEM;
	}
	free(fill.lacks);
	free(fill.next);
	claim_order_close(&fill.claims);
	return ret;
}
