/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * The fallback chain: where the table is looked at, first and for the next
 * best. Pure: the same text in the BPF program, the tests and the tools.
 */
#ifndef DECIDE_CHAIN_H
#define DECIDE_CHAIN_H

#include "abi.h"
#include "decide/hash.h"
#include "decide/linux39.h"

/* Entries of the table that are asked before the kernel picks. */
#define CHAIN_TRIES 4

/*
 * What a try goes by: the packet's hash, and for each further try another one
 * made of it (the finalizer of MurmurHash3, Appleby), so that equal packets
 * take equal ways.
 */
static inline __u32 chain_hash(__u32 hash, __u32 try)
{
	if (!try)
		return hash;
	hash += try * 0x9e3779b9;
	hash = (hash ^ hash >> 16) * 0x85ebca6b;
	hash = (hash ^ hash >> 13) * 0xc2b2ae35;
	return hash ^ hash >> 16;
}

/* Slots that are asked when all choices have gone and the kernel must not pick. */
#define CHAIN_ANY_MAX 1024

/* The i-th of them. */
static inline __u32 chain_any(__u32 hash, __u32 slots, __u32 i)
{
	return (decide_hash(hash, slots) + i) % slots;
}

/* Whether the policy has a row of the table for each CPU or node. */
static inline int chain_by_place(enum steering_policy policy)
{
	return policy == POLICY_CPU || policy == POLICY_NUMA;
}

/* What a policy goes by that does not go by the packet. */
struct circumstances {
	__u32 row;  /* "cpu", "numa": the packet's CPU or node */
	__u32 rows; /* how many there are; the row after them is of all workers */
	__u32 turn; /* "round-robin": packets before this one */
};

/*
 * Index of the table's entry for a try, of every policy but "least-queue". For
 * "random" the hash is a random number. plan->width is not 0.
 */
static inline __u32 chain_index(const struct plan *plan, __u32 hash, const struct circumstances *at,
				__u32 try)
{
	__u32 width = plan->width, row = 0;

	if (plan->policy == POLICY_ROUND_ROBIN)
		return (at->turn + try) % width;
	hash = chain_hash(hash, try);
	if (plan->policy <= POLICY_RANDOM)
		return decide_hash(hash, width);
	if (plan->policy == POLICY_LINUX39)
		return decide_linux39(hash, width);
	if (chain_by_place(plan->policy))
		row = try || at->row >= at->rows ? at->rows : at->row;
	return row * width + decide_hash(hash, width);
}

/*
 * Each CPU takes turns of its own, without a line that all of them write; the
 * first turns are spread, so that a few packets on many CPUs do not meet.
 */
static inline __u32 chain_turn(__u64 packets, __u32 cpu, __u32 width)
{
	return (__u32)packets + decide_hash(cpu * 0x9e3779b9, width);
}

#endif
