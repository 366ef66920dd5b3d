/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* Random streams: numbers that look random and are the same in every pass. */
#ifndef SIMULATE_RANDOM_STREAM_H
#define SIMULATE_RANDOM_STREAM_H

#include <stdint.h>

#include "decide/consistent.h"

enum random_stream {
	STREAM_ADDRESS,    /* addresses of the clients */
	STREAM_CLIENT,     /* which client sends a packet */
	STREAM_PORT,       /* source port of a packet */
	STREAM_POLICY,     /* policy "random" */
	STREAM_KERNEL_KEY, /* in place of the key of the kernel's hash */
	STREAM_HASH_KEY,   /* in place of a hash key that is not given */
	STREAM_RECEIVE,    /* which CPU receives a packet */
};

/* Return number "i" of a stream; equal for equal seeds. */
static inline uint64_t random_number(uint64_t seed, enum random_stream stream, uint64_t i)
{
	return consistent_mix(consistent_mix(consistent_mix(seed) + stream) + i);
}

#endif
