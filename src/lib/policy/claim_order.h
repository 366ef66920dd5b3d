/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * Claim order: the order in which the slots claim the entries of a table, see
 * decide/consistent.h. Each slot's claims follow an exponential clock, so the first
 * claim of an entry is the winner of an exponential race: slot s wins with the
 * probability weight(s) / sum of all weights. Callers visit the early claims first, and
 * stop where the remaining entries are cheaper to decide one by one.
 */
#ifndef POLICY_CLAIM_ORDER_H
#define POLICY_CLAIM_ORDER_H

#include <stdbool.h>
#include <stdint.h>

#include "decide/consistent.h"

struct claim_order {
	uint32_t bits;
	uint32_t entries;
	uint32_t claimants;           /* slots with a weight */
	uint64_t weight;              /* sum of all weights */
	struct consistent_slot *slot; /* by number */
	uint16_t *by_weight;          /* the claimants, the heaviest first */
	uint32_t *clock;              /* by rank */
	uint64_t *settled;            /* a bit for each entry: no further claim is earlier */
	uint32_t open;                /* entries without an owner */
};

/* Sort the claimants and compute the clocks. -EINVAL: not such a table; -ENOMEM. */
int claim_order_open(struct claim_order *claims, uint32_t entries, const uint32_t *weights,
		     uint32_t slots);
void claim_order_close(struct claim_order *claims);

/* Mark the entries that have an owner as settled, and count the open ones. */
void claim_order_settle(struct claim_order *claims, const uint16_t *table);

static inline bool claim_order_is_settled(const struct claim_order *claims, uint32_t entry)
{
	return claims->settled[entry / 64] >> (entry % 64) & 1;
}

/*
 * Return how many claims a slot of that weight makes before a time. The unit of time is
 * a quarter: until time t all slots together make t/4 claims for each entry of the
 * table, and a fraction exp(-t/4) of the entries is still open.
 */
uint32_t claim_order_count(const struct claim_order *claims, uint64_t until, uint32_t weight);

/* Return whether the slot claims the entry before its owner does. */
static inline bool claim_order_beats(const struct claim_order *claims, uint32_t slot, uint32_t rank,
				     uint32_t owner, uint32_t entry)
{
	const struct consistent_slot *a = &claims->slot[slot], *b = &claims->slot[owner];
	uint32_t other = consistent_rank(b, entry, claims->bits);

	/* Often the ranks alone decide, without the clocks. */
	if (rank >= other && a->weight <= b->weight)
		return rank == other && a->weight == b->weight && slot < owner;
	if (rank < other && a->weight >= b->weight)
		return true;
	return consistent_precedes(
		&(struct consistent_claim){ claims->clock[rank], a->weight, slot },
		&(struct consistent_claim){ claims->clock[other], b->weight, owner });
}

#endif
