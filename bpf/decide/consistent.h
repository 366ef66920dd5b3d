/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * Policy "consistent": which slot owns an entry of the table. Each slot claims each
 * entry at a certain time, and the earliest claim wins the entry. Pure: the same text in the BPF
 * program, the tests and the tools.
 *
 * This is rendezvous hashing (Thaler and Ravishankar, "Using name-based
 * mappings to increase hit rates", IEEE/ACM ToN 6(1), 1998) with weights: of
 * exponential clocks that run at the rates w, each is the first with the
 * probability w / W. A claim depends only on the slot, its weight and the entry. So a
 * slot that leaves gives away its own entries and no others. A slot that joins or
 * gains weight takes entries, and moves none between the others. The table does not
 * depend on history. (Maglev, NSDI 2016, 3.4, also lets backends claim entries in the
 * order of permutations, but in turns: the shares are even, and each change moves
 * some entries without need.)
 *
 * Plain rendezvous hashing draws each claim independently. Here the claims of a slot
 * are the ranks 0 to M - 1 in some order, a permutation of the M entries. That halves
 * the variance of the shares. Its inverse finds the early claims of a slot without a
 * look at the others, which makes the table cheap to build.
 */
#ifndef DECIDE_CONSISTENT_H
#define DECIDE_CONSISTENT_H

#include <linux/types.h>

/* A table has 2^10 to 2^20 entries. */
#define CONSISTENT_MIN_BITS 10
#define CONSISTENT_MAX_BITS 20
#define CONSISTENT_MAX_WEIGHT 1000
/* The value of an entry that no slot owns. */
#define CONSISTENT_NONE 0xffff

/* The permutation of a slot: an offset and two odd factors. */
struct consistent_slot {
	__u32 offset;
	__u32 first;
	__u32 second;
	__u32 weight;
};

/* Return output "i" of SplitMix64 (Steele, Lea and Flood, OOPSLA 2014) from seed 0. */
static inline __u64 consistent_mix(__u64 i)
{
	__u64 z = (i + 1) * 0x9e3779b97f4a7c15;

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
	z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
	return z ^ (z >> 31);
}

static inline struct consistent_slot consistent_slot(__u32 slot, __u32 weight)
{
	__u64 a = consistent_mix(2ULL * slot), b = consistent_mix(2ULL * slot + 1);
	struct consistent_slot keys = {
		.offset = (__u32)(a >> 32),
		.first = (__u32)a | 1,
		.second = (__u32)b | 1,
		.weight = weight,
	};

	return keys;
}

/* Fold the upper half of the bits onto the lower one; its own inverse. */
static inline __u32 consistent_fold(__u32 x, __u32 bits)
{
	return x ^ (x >> ((bits + 1) / 2));
}

/* Return the rank of the entry among the slot's claims; 0 is the earliest. */
static inline __u32 consistent_rank(const struct consistent_slot *slot, __u32 entry, __u32 bits)
{
	__u32 mask = (1U << bits) - 1;
	__u32 x = ((entry + slot->offset) * slot->first) & mask;

	return (consistent_fold(x, bits) * slot->second) & mask;
}

/*
 * Return the inverse of an odd number modulo 2^32, by Newton's method: 3x ^ 2 is right
 * in five bits, and each step doubles them.
 */
static inline __u32 consistent_inverse(__u32 odd)
{
	__u32 x = (3 * odd) ^ 2;

	x *= 2 - odd * x;
	x *= 2 - odd * x;
	return x * (2 - odd * x);
}

/* Return the slot's inverse permutation, for consistent_claimed(). */
static inline struct consistent_slot consistent_backward(const struct consistent_slot *slot)
{
	struct consistent_slot back = *slot;

	back.first = consistent_inverse(slot->first);
	back.second = consistent_inverse(slot->second);
	return back;
}

/* Return the entry at that rank of the slot's claims: the inverse of
 * consistent_rank(). */
static inline __u32 consistent_claimed(const struct consistent_slot *back, __u32 rank, __u32 bits)
{
	__u32 mask = (1U << bits) - 1;
	__u32 x = consistent_fold((rank * back->second) & mask, bits);

	return (x * back->first - back->offset) & mask;
}

/*
 * Fill the clocks. The time of a claim is clock[rank] / weight. The clock is a
 * quantile of the exponential distribution between those of rank / M and
 * (rank + 1) / M, so between -ln(1 - rank / M) and -ln(1 - (rank + 1) / M), about in
 * the middle. Each host must compile the same table, so the logarithm is a sum of
 * reciprocals in integers, 1/M + 1/(M - 1) + ..., which is the mean of the earliest,
 * the second and so on of M exponential variables (Renyi, 1953).
 *
 * The unit is 2^-27, and all clocks are below 2^31. Neighbours are at least 127 apart,
 * and with equal weights the lower rank precedes.
 */
static inline void consistent_clocks(__u32 *clock, __u32 entries)
{
	__u64 sum = 0;
	__u32 rank;

	for (rank = 0; rank < entries; rank++) {
		__u64 step = (1ULL << 52) / (entries - rank);

		clock[rank] = (__u32)((2 * sum + step) >> 26);
		sum += step;
	}
}

struct consistent_claim {
	__u32 clock;
	__u32 weight;
	__u32 slot;
};

/* Return whether claim a precedes claim b on the same entry; the lower slot wins a
 * tie. */
static inline int consistent_precedes(const struct consistent_claim *a,
				      const struct consistent_claim *b)
{
	__u64 left = (__u64)a->clock * b->weight, right = (__u64)b->clock * a->weight;

	if (left != right)
		return left < right;
	return a->slot < b->slot;
}

#endif
