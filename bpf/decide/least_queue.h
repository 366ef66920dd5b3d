/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * Policy "least-queue": the worker with the shortest queue; all are looked at up
 * to LEAST_QUEUE_SCAN workers, two above ("the power of two choices",
 * Mitzenmacher, IEEE TPDS 12(10), 2001). Pure: the same text in the BPF program,
 * the tests and the tools.
 */
#ifndef DECIDE_LEAST_QUEUE_H
#define DECIDE_LEAST_QUEUE_H

#include "decide/chain.h"

#define LEAST_QUEUE_SCAN 8
#define LEAST_QUEUE_NONE (~0ULL) /* the rank of nobody */

/* How many of n workers are looked at. */
static inline __u32 least_queue_looks(__u32 n)
{
	if (n <= LEAST_QUEUE_SCAN)
		return n;
	return 2;
}

/* Index of the i-th that is looked at; which is first goes by the hash. */
static inline __u32 least_queue_index(__u32 hash, __u32 n, __u32 i)
{
	__u32 first = decide_hash(hash, n), step = i;

	if (n > LEAST_QUEUE_SCAN && i)
		step = 1 + decide_hash(chain_hash(hash, CHAIN_TRIES), n - 1);
	first += step;
	return first < n ? first : first - n;
}

/*
 * The least rank wins: by the queue, then by a hash of packet and slot. (By the
 * order of looking, whoever comes after a worker that hangs would get its share
 * of the ties too.)
 */
static inline __u64 least_queue_rank(__u32 queue, __u32 hash, __u32 slot)
{
	__u32 tie = (hash ^ slot * 0x9e3779b9) * 0x85ebca6b;

	return (__u64)queue << 32 | (tie & 0xffff0000) | slot;
}

/* TABLE_NOBODY if nobody was there. */
static inline __u32 least_queue_slot(__u64 rank)
{
	return rank & 0xffff;
}

#endif
