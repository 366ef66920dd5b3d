/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * Policy "linux39": the walk of the first SO_REUSEPORT, Linux 3.9
 * (__inet_lookup_listener() in net/ipv4/inet_hashtables.c, commit c617f398edd4).
 * Pure: the same text in the BPF program, the tests and the tools.
 */
#ifndef DECIDE_LINUX39_H
#define DECIDE_LINUX39_H

#include <linux/types.h>

#ifndef __always_inline /* the kernel, glibc and libbpf have it */
#define __always_inline inline __attribute__((always_inline))
#endif

#define LINUX39_MAX_WALK 4096 /* members that the walk visits at most */
#define LINUX39_STRETCH 64    /* of them in one call */
#define LINUX39_SHORT_WALK 16 /* up to so many there is no call */

/* next_pseudo_random32() of include/linux/random.h */
static inline __u32 linux39_next(__u32 phash)
{
	return phash * 1664525 + 1013904223;
}

/* How far the walk has come: in the lower half the pick, above it the hash. */
static inline __u64 linux39_state(__u32 phash, __u32 pick)
{
	return (__u64)phash << 32 | pick;
}

/*
 * Walk on over the members from "first" on, "n" of them and at most "bound", and return
 * the state after them. The walk begins with member 0 as the pick. Each further one
 * replaces it with the probability 1 / position, so that each member has the
 * probability 1/n.
 *
 * "Taken" is computed without a branch: else the verifier would follow both branches
 * of each step and give up.
 */
static __always_inline __u64 linux39_walk(__u64 state, __u32 first, __u32 n, __u32 bound)
{
	__u32 phash = state >> 32, pick = state;

	for (__u32 i = 0; i < bound && i < n; i++) {
		__u64 high = ((__u64)phash * (first + i + 1)) >> 32;
		__u32 taken = (__u32)((high - 1) >> 63); /* 1 when high is 0 */

		pick ^= (pick ^ (first + i)) & -taken;
		phash = linux39_next(phash);
	}
	return linux39_state(phash, pick);
}

#ifdef __bpf__ /* a function that the verifier checks once, for any arguments */
#define LINUX39_CHECKED_ONCE __attribute__((noinline))
#else
#define LINUX39_CHECKED_ONCE static inline
#endif

/* Do the same for a stretch. The verifier follows each step of a loop: so it follows 64
 * steps and not 4,096. */
LINUX39_CHECKED_ONCE __u64 linux39_stretch(__u64 state, __u32 first, __u32 n)
{
	return linux39_walk(state, first, n, LINUX39_STRETCH);
}

LINUX39_CHECKED_ONCE __u32 linux39_long_walk(__u32 phash, __u32 n)
{
	__u64 state = linux39_state(phash, 0);

	if (n > LINUX39_MAX_WALK)
		n = LINUX39_MAX_WALK;
	for (__u32 i = 1; i < LINUX39_MAX_WALK && i < n; i += LINUX39_STRETCH)
		state = linux39_stretch(state, i, n - i);
	return state;
}

/* Return the index of the member, 0 to n - 1, for a 32-bit hash; n is 1 or more.
 * Members beyond LINUX39_MAX_WALK are never picked. */
static inline __u32 decide_linux39(__u32 phash, __u32 n)
{
	if (n > LINUX39_SHORT_WALK)
		return linux39_long_walk(phash, n);
	return linux39_walk(linux39_state(phash, 0), 1, n - 1, LINUX39_SHORT_WALK - 1);
}

#endif
