/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * Policy "least-queue": the worker with the shortest queue. Up to LEAST_QUEUE_SCAN
 * workers all queues are compared, above that two ("the power of two choices",
 * Mitzenmacher, IEEE TPDS 12(10), 2001). Pure: the same text in the BPF program, the
 * tests and the tools.
 */
#ifndef DECIDE_LEAST_QUEUE_H
#define DECIDE_LEAST_QUEUE_H

#include "decide/chain.h"

#define LEAST_QUEUE_SCAN 8
#define LEAST_QUEUE_NONE (~0ULL) /* the rank of no worker */

/* Return how many of n workers are compared. */
static inline __u32 least_queue_looks(__u32 n)
{
	if (n <= LEAST_QUEUE_SCAN)
		return n;
	return 2;
}

/* Return the index of the i-th worker to compare; the hash gives the first. */
static inline __u32 least_queue_index(__u32 hash, __u32 n, __u32 i)
{
	__u32 first = decide_hash(hash, n), step = i;

	if (n > LEAST_QUEUE_SCAN && i)
		step = 1 + decide_hash(chain_hash(hash, CHAIN_STEPS), n - 1);
	first += step;
	return first < n ? first : first - n;
}

/*
 * Return the rank of a worker; the least rank wins. It goes by the queue, then by a
 * hash of packet and slot. (By the order of comparison, the worker that comes after a
 * hung one would win its share of the ties too.)
 */
static inline __u64 least_queue_rank(__u32 queue, __u32 hash, __u32 slot)
{
	__u32 tie = (hash ^ slot * 0x9e3779b9) * 0x85ebca6b;

	return (__u64)queue << 32 | (tie & 0xffff0000) | slot;
}

/* Return the slot of a rank; TABLE_NO_WORKER for LEAST_QUEUE_NONE. */
static inline __u32 least_queue_slot(__u64 rank)
{
	return rank & 0xffff;
}

#endif
