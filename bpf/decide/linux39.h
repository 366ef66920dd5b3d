/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * Policy "linux39": the walk of the first SO_REUSEPORT, Linux 3.9
 * (__inet_lookup_listener() in net/ipv4/inet_hashtables.c, commit c617f398edd4).
 * Pure: the same text in the BPF program, the tests and the tools.
 */
#ifndef DECIDE_LINUX39_H
#define DECIDE_LINUX39_H

#include <linux/types.h>

/* Members that the walk visits at most; the verifier needs a bound. */
#define LINUX39_MAX_WALK 4096
#define LINUX39_SHORT_WALK 16

/* next_pseudo_random32() of include/linux/random.h */
static inline __u32 linux39_next(__u32 phash)
{
	return phash * 1664525 + 1013904223;
}

/*
 * Walk over n members, at most "bound" of them, and return the index of the pick. The
 * first member is picked, and each further one replaces it with the probability 1 /
 * position, so that each member has the probability 1/n.
 *
 * "Taken" is computed without a branch: else the verifier would follow both branches
 * of each step and give up.
 */
static inline __u32 linux39_walk(__u32 phash, __u32 n, __u32 bound)
{
	__u32 pick = 0;

	for (__u32 i = 1; i < bound && i < n; i++) {
		__u64 high = ((__u64)phash * (i + 1)) >> 32;
		__u32 taken = (__u32)((high - 1) >> 63); /* 1 when high is 0 */

		pick ^= (pick ^ i) & -taken;
		phash = linux39_next(phash);
	}
	return pick;
}

#ifdef __bpf__ /* a separate function, which the verifier checks once */
__attribute__((noinline))
#else
static inline
#endif
__u32 linux39_long_walk(__u32 phash, __u32 n)
{
	return linux39_walk(phash, n, LINUX39_MAX_WALK);
}

/* Return the index of the member, 0 to n - 1, for a 32-bit hash; n is 1 or more.
 * Members beyond LINUX39_MAX_WALK are never picked. */
static inline __u32 decide_linux39(__u32 phash, __u32 n)
{
	return n <= LINUX39_SHORT_WALK ? linux39_walk(phash, n, LINUX39_SHORT_WALK) :
					 linux39_long_walk(phash, n);
}

#endif
