/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * The key of a packet: which bytes of its addresses and ports the plan hashes, and
 * how. Pure: the same text in the BPF program, the tests and the tools.
 */
#ifndef DECIDE_KEY_H
#define DECIDE_KEY_H

#include "abi.h"
#include "decide/siphash.h"

/*
 * Addresses and ports as they are in the packet, in network byte order, loaded
 * as little-endian words: an IPv4 address is the lower half of word 0.
 */
struct tuple {
	__u64 src[2], dst[2];
	__u32 ports; /* source in the lower half */
	__u32 v6;    /* the packet is IPv6 */
};

/* Return a mask of the first "bits" of eight bytes, 0 to 64, for a little-endian
 * word. */
static inline __u64 key_mask(__u32 bits)
{
	if (!bits)
		return 0;
	return bits >= 64 ? ~0ULL : __builtin_bswap64(~0ULL << (64 - bits));
}

static __always_inline __u64 key_hash_tuple4(struct siphash *s, const struct tuple *t)
{
	siphash_word(s, t->dst[0] << 32 | (__u32)t->src[0]);
	return siphash_end(s, t->ports, 12);
}

static inline __u64 key_hash_tuple(struct siphash *s, const struct tuple *t)
{
	if (!t->v6)
		return key_hash_tuple4(s, t);
	siphash_word(s, t->src[0]);
	siphash_word(s, t->src[1]);
	siphash_word(s, t->dst[0]);
	siphash_word(s, t->dst[1]);
	return siphash_end(s, t->ports, 36);
}

static inline __u64 key_hash_address(struct siphash *s, const __u64 address[2], __u32 v6)
{
	if (!v6)
		return siphash_end(s, (__u32)address[0], 4);
	siphash_word(s, address[0]);
	siphash_word(s, address[1]);
	return siphash_end(s, 0, 16);
}

/* Return the upper half of SipHash-1-3 of the key's bytes, in packet order. */
static inline __u32 key_hash(const struct plan *plan, const struct tuple *t)
{
	__u32 bits = t->v6 ? plan->prefix6 : plan->prefix4;
	__u64 address[2] = { t->src[0], t->src[1] };
	struct siphash s;

	siphash_begin(&s, plan->hash_key);
	if (plan->key == KEY_TUPLE)
		return key_hash_tuple(&s, t) >> 32;
	if (plan->key == KEY_DST) {
		address[0] = t->dst[0];
		address[1] = t->dst[1];
	} else if (plan->key == KEY_SRC_PREFIX) {
		address[0] &= key_mask(bits);
		address[1] &= key_mask(bits > 64 ? bits - 64 : 0);
	}
	return key_hash_address(&s, address, t->v6) >> 32;
}

/* Return the same for KEY_TUPLE of IPv4, in fewer instructions. */
static __always_inline __u32 key_hash_ipv4_tuple(const struct plan *plan, const struct tuple *t)
{
	struct siphash s;

	siphash_begin(&s, plan->hash_key);
	return key_hash_tuple4(&s, t) >> 32;
}

#endif
