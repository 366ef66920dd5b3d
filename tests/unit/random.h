/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* Hashes for the tests, always the same ones. */
#ifndef UNIT_RANDOM_H
#define UNIT_RANDOM_H

#include <stdint.h>

/* Not the generator that linux39 steps with: xorshift64*. */
static inline uint32_t next_hash(uint64_t *state)
{
	*state ^= *state >> 12;
	*state ^= *state << 25;
	*state ^= *state >> 27;
	return (*state * 0x2545f4914f6cdd1d) >> 32;
}

#endif
