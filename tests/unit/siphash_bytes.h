/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* SipHash of a message, byte by byte. */
#ifndef UNIT_SIPHASH_BYTES_H
#define UNIT_SIPHASH_BYTES_H

#include <stddef.h>
#include <stdint.h>

#include "decide/siphash.h"

static inline uint64_t siphash_bytes(const uint64_t key[2], const unsigned char *message,
				     size_t length)
{
	__u64 words[2] = { key[0], key[1] }, word = 0;
	struct siphash s;

	siphash_begin(&s, words);
	for (size_t i = 0; i < length; i++) {
		word |= (__u64)message[i] << 8 * (i % 8);
		if (i % 8 == 7) {
			siphash_word(&s, word);
			word = 0;
		}
	}
	return siphash_end(&s, word, length);
}

#endif
