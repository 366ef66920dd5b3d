/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * The claims of policy "consistent" from their definition, for the references:
 * by division instead of masks, and from nothing of decide/consistent.h.
 */
#ifndef UNIT_CLAIMS_H
#define UNIT_CLAIMS_H

#include <stdint.h>
#include <stdlib.h>

/* SplitMix64, as a generator; not the tests' own source of numbers. */
static inline uint64_t split_mix(uint64_t *state)
{
	uint64_t z = *state += 0x9e3779b97f4a7c15;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
	z = (z ^ z >> 27) * 0x94d049bb133111eb;
	return z ^ z >> 31;
}

/* The rank of each entry among the slot's claims. */
static inline void claim_ranks(uint32_t *ranks, uint32_t entries, uint32_t slot)
{
	uint64_t state = 0, a = 0, b = 0, half = 1;

	for (uint32_t i = 0; i <= slot; i++) {
		a = split_mix(&state);
		b = split_mix(&state);
	}
	while (half * half < entries)
		half *= 2;
	for (uint64_t entry = 0; entry < entries; entry++) {
		uint64_t x = (entry + a / 0x100000000) % 0x100000000;

		x = x * (a % 0x100000000 | 1) % entries;
		x = x ^ x / half;
		ranks[entry] = x * (b % 0x100000000 | 1) % entries;
	}
}

/* The clock of each rank: half of its own reciprocal, all of those before it. */
static inline void claim_clocks(uint64_t *clocks, uint32_t entries)
{
	unsigned __int128 one = (unsigned __int128)1 << 52, twice = 0;

	for (uint32_t rank = 0; rank < entries; rank++) {
		twice += one / (entries - rank);
		clocks[rank] = twice / 0x4000000;
		twice += one / (entries - rank);
	}
}

/* xorshift64* */
static inline uint32_t draw(uint64_t *state, uint32_t below)
{
	*state ^= *state >> 12;
	*state ^= *state << 25;
	*state ^= *state >> 27;
	return ((*state * 0x2545f4914f6cdd1d) >> 32) * below >> 32;
}

static inline void *allocate(size_t count, size_t size)
{
	void *memory = calloc(count, size);

	if (!memory)
		abort();
	return memory;
}

#endif
