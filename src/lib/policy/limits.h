/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* Limits: the valid and the default numbers of slots, table entries and flows. */
#ifndef POLICY_LIMITS_H
#define POLICY_LIMITS_H

#include <stdbool.h>
#include <stddef.h>

#include "reuseport_bpf.h"

#define SLOTS_DEFAULT 256
#define TABLE_PER_WORKER 4096
#define TABLE_LEAST_DEFAULT 16384
#define TABLE_MOST_DEFAULT 524288 /* one change takes less than 10 ms up to here */

/* Return the default number of slots for a group of that size. */
static inline unsigned int limits_slots_for(size_t members)
{
	unsigned int slots = SLOTS_DEFAULT;

	while (slots < 2 * members && slots < REUSEPORT_SLOTS_MAX)
		slots *= 2;
	return slots;
}

/*
 * Return the default number of table entries for a group of that size: 2,048 for each
 * worker, with room for as many workers again. Then the shares of policy "consistent"
 * deviate by 1.6% (one standard deviation), and by about 7% at most. A larger table
 * costs more cache lines; see bench/README.md.
 */
static inline unsigned int limits_table_for(size_t members)
{
	unsigned int entries = TABLE_LEAST_DEFAULT;

	while (entries < TABLE_PER_WORKER * members && entries < TABLE_MOST_DEFAULT)
		entries *= 2;
	return entries;
}

/* Round up to whole buckets. */
static inline unsigned int limits_flows_rounded(unsigned int flows)
{
	return (flows + 7) / 8 * 8;
}

static inline bool limits_flows_valid(unsigned int flows)
{
	return flows >= REUSEPORT_FLOWS_MIN && flows <= REUSEPORT_FLOWS_MAX;
}

static inline bool limits_table_valid(unsigned int entries)
{
	return entries >= REUSEPORT_TABLE_MIN && entries <= REUSEPORT_TABLE_MAX &&
	       !(entries & (entries - 1));
}

#endif
