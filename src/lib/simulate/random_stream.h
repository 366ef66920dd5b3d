/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* Dice: numbers that look random and are the same in every run, for simulations. */
#ifndef SIMULATE_RANDOM_STREAM_H
#define SIMULATE_RANDOM_STREAM_H

#include <stdint.h>

#include "decide/consistent.h"

enum dice_stream {
	DICE_CLIENT, /* addresses */
	DICE_WHO,    /* which client sends */
	DICE_PORT,
	DICE_CHANCE,   /* policy "random" */
	DICE_KERNEL,   /* the secret of the kernel's hash */
	DICE_HASH_KEY, /* a hash key that nobody gave */
	DICE_RECEIVE,  /* which CPU receives */
};

/* Throw "i" of a stream; equal seeds throw equally. */
static inline uint64_t dice(uint64_t seed, enum dice_stream stream, uint64_t i)
{
	return consistent_mix(consistent_mix(consistent_mix(seed) + stream) + i);
}

#endif
