/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * The fallback chain: which entry of the table is the first choice, and which ones the
 * next best. Pure: the same text in the BPF program, the tests and the tools.
 */
#ifndef DECIDE_CHAIN_H
#define DECIDE_CHAIN_H

#include "abi.h"
#include "decide/hash.h"
#include "decide/linux39.h"

/* Steps of the chain before the kernel picks. */
#define CHAIN_STEPS 4

/*
 * Return the hash for a step: the packet's own for step 0, and for each further step
 * another one made of it (the finalizer of MurmurHash3, Appleby). So equal packets
 * take equal steps.
 */
static inline __u32 chain_hash(__u32 hash, __u32 step)
{
	if (!step)
		return hash;
	hash += step * 0x9e3779b9;
	hash = (hash ^ hash >> 16) * 0x85ebca6b;
	hash = (hash ^ hash >> 13) * 0xc2b2ae35;
	return hash ^ hash >> 16;
}

/* Slots that are tried when all steps have failed and the kernel must not pick. */
#define CHAIN_ANY_MAX 1024
#define CHAIN_ANY_STRETCH 32 /* of them in one call */

/* Return the i-th of these slots. */
static inline __u32 chain_any(__u32 hash, __u32 slots, __u32 i)
{
	return (decide_hash(hash, slots) + i) % slots;
}

/* Return whether the policy has a row of the table for each CPU or node. */
static inline int chain_by_place(enum steering_policy policy)
{
	return policy == POLICY_CPU || policy == POLICY_NUMA;
}

/* The input of policies that do not decide by the packet. */
struct circumstances {
	__u32 row;  /* "cpu", "numa": the packet's CPU or node */
	__u32 rows; /* number of rows; one more row has all workers */
	__u32 turn; /* "round-robin": packets before this one */
};

/*
 * Return the entry that has a turn: each once in a block of "width" turns. The kernel may look
 * one packet up several times, and the last look-up counts (iptables -m socket, SYN cookies): in
 * plain turns some entries would get nothing then. So each block begins elsewhere, by a Weyl
 * sequence with the golden ratio, which spreads the turns of any step evenly.
 */
static inline __u32 chain_in_turn(__u32 turn, __u32 width)
{
	__u32 block = turn / width;
	__u32 index = turn - block * width + decide_hash(block * 0x9e3779b9, width);

	return index < width ? index : index - width;
}

/*
 * Return the index of the table's entry for a step, for every policy but
 * "least-queue". For "random" the hash is a random number. plan->width is not 0.
 */
static inline __u32 chain_index(const struct plan *plan, __u32 hash, const struct circumstances *at,
				__u32 step)
{
	__u32 width = plan->width, row = 0;

	if (plan->policy == POLICY_ROUND_ROBIN)
		return chain_in_turn(at->turn + step, width);
	hash = chain_hash(hash, step);
	if (plan->policy <= POLICY_RANDOM)
		return decide_hash(hash, width);
	if (plan->policy == POLICY_LINUX39)
		return decide_linux39(hash, width);
	if (chain_by_place(plan->policy))
		row = step || at->row >= at->rows ? at->rows : at->row;
	return row * width + decide_hash(hash, width);
}

/*
 * Return the turn of a CPU's next packet. Each CPU takes its own turns, so that the
 * CPUs share no cache line. Their first turns are spread, so that a few packets on
 * many CPUs do not all go to one worker.
 */
static inline __u32 chain_turn(__u64 packets, __u32 cpu, __u32 width)
{
	return (__u32)packets + decide_hash(cpu * 0x9e3779b9, width);
}

#endif
