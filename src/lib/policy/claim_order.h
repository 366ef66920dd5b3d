/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * Race: the slots that claim the entries of a table, see decide/consistent.h,
 * and a walk through their claims, the early ones first.
 */
#ifndef POLICY_CLAIM_ORDER_H
#define POLICY_CLAIM_ORDER_H

#include <stdbool.h>
#include <stdint.h>

#include "decide/consistent.h"

struct race {
	uint32_t bits;
	uint32_t entries;
	uint32_t runners;             /* slots with a weight */
	uint64_t weight;              /* of all of them */
	struct consistent_slot *slot; /* by number */
	uint16_t *order;              /* the runners, the heaviest first */
	uint32_t *clock;              /* by rank */
	uint64_t *settled;            /* a bit for each entry: no claim to come is earlier */
	uint32_t open;                /* entries that nobody has */
};

/* -EINVAL: not such a table; -ENOMEM. */
int race_open(struct race *race, uint32_t entries, const uint32_t *weights, uint32_t slots);
void race_close(struct race *race);

/* Notes the entries that have an owner as settled, and counts the open ones. */
void race_settle(struct race *race, const uint16_t *table);

static inline bool race_settled(const struct race *race, uint32_t entry)
{
	return race->settled[entry / 64] >> (entry % 64) & 1;
}

/*
 * How many claims a slot of that weight makes before "horizon". A horizon is a
 * time: by horizon h, in units of a quarter, all slots together have claimed h/4
 * times the entries there are, and exp(-h/4) of the entries are still open.
 */
uint32_t race_claims(const struct race *race, uint64_t horizon, uint32_t weight);

/* Whether the slot claims the entry before its owner does. */
static inline bool race_beats(const struct race *race, uint32_t slot, uint32_t rank, uint32_t owner,
			      uint32_t entry)
{
	const struct consistent_slot *a = &race->slot[slot], *b = &race->slot[owner];
	uint32_t other = consistent_rank(b, entry, race->bits);

	/* Without a look at the clocks, where that will do. */
	if (rank >= other && a->weight <= b->weight)
		return rank == other && a->weight == b->weight && slot < owner;
	if (rank < other && a->weight >= b->weight)
		return true;
	return consistent_precedes(&(struct consistent_claim){ race->clock[rank], a->weight, slot },
				   &(struct consistent_claim){ race->clock[other], b->weight,
							       owner });
}

#endif
