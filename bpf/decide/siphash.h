/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * SipHash-1-3 (Aumasson and Bernstein, INDOCRYPT 2012): a keyed hash. A sender without
 * the key cannot choose a worker; with the key the hash can be computed anywhere. One
 * and three rounds, not two and four, are enough because the hash itself is never
 * visible, the condition of the kernel's hsiphash() too
 * (Documentation/security/siphash.rst). The three rounds saved are a fifth of a bare
 * select. Pure: the same text in the BPF program, the tests and the tools.
 */
#ifndef DECIDE_SIPHASH_H
#define DECIDE_SIPHASH_H

#include <linux/types.h>

#ifndef __always_inline /* the kernel, glibc and libbpf have it */
#define __always_inline inline __attribute__((always_inline))
#endif

struct siphash {
	__u64 v0, v1, v2, v3;
};

static __always_inline __u64 siphash_rotate(__u64 word, unsigned int bits)
{
	return word << bits | word >> (64 - bits);
}

static __always_inline void siphash_round(struct siphash *s)
{
	s->v0 += s->v1;
	s->v1 = siphash_rotate(s->v1, 13) ^ s->v0;
	s->v0 = siphash_rotate(s->v0, 32);
	s->v2 += s->v3;
	s->v3 = siphash_rotate(s->v3, 16) ^ s->v2;
	s->v0 += s->v3;
	s->v3 = siphash_rotate(s->v3, 21) ^ s->v0;
	s->v2 += s->v1;
	s->v1 = siphash_rotate(s->v1, 17) ^ s->v2;
	s->v2 = siphash_rotate(s->v2, 32);
}

static __always_inline void siphash_begin(struct siphash *s, const __u64 key[2])
{
	s->v0 = key[0] ^ 0x736f6d6570736575ULL;
	s->v1 = key[1] ^ 0x646f72616e646f6dULL;
	s->v2 = key[0] ^ 0x6c7967656e657261ULL;
	s->v3 = key[1] ^ 0x7465646279746573ULL;
}

/* Add eight bytes of the message, the first one the least significant. */
static __always_inline void siphash_word(struct siphash *s, __u64 word)
{
	s->v3 ^= word;
	siphash_round(s);
	s->v0 ^= word;
}

/* Add the last bytes of the message, fewer than eight, and its whole length; return
 * the hash. */
static __always_inline __u64 siphash_end(struct siphash *s, __u64 rest, __u64 length)
{
	siphash_word(s, length << 56 | rest);
	s->v2 ^= 0xff;
	siphash_round(s);
	siphash_round(s);
	siphash_round(s);
	return s->v0 ^ s->v1 ^ s->v2 ^ s->v3;
}

#endif
