/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * Policy "hash": the pick of Linux 4.5 and later (reciprocal_scale() in
 * include/linux/kernel.h, used by reuseport_select_sock(), commit e32ea7e74727).
 * Pure: the same text in the BPF program, the tests and the tools.
 */
#ifndef DECIDE_HASH_H
#define DECIDE_HASH_H

#include <linux/types.h>

/* Return the index of the member, 0 to n - 1, for a 32-bit hash; n is 1 or more. */
static inline __u32 decide_hash(__u32 hash, __u32 n)
{
	return (__u32)(((__u64)hash * n) >> 32);
}

#endif
