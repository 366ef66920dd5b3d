// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* Addresses and ports of a packet, as the decision functions take them. */
#include <arpa/inet.h>
#include <endian.h>
#include <string.h>
#include <sys/socket.h>

#include "policy/packet_tuple.h"
#include "reuseport_simulate.h"

static uint64_t little_word(const uint8_t *bytes)
{
	uint64_t word;

	memcpy(&word, bytes, sizeof(word));
	return le64toh(word);
}

struct tuple packet_tuple(const struct reuseport_tuple *from)
{
	static const uint8_t mapped[12] = { [10] = 0xff, [11] = 0xff };
	struct tuple t = { .v6 = from->family == AF_INET6 };
	uint8_t src[16] = { 0 }, dst[16] = { 0 };
	size_t skip = 0;

	if (t.v6 && !memcmp(from->dst, mapped, sizeof(mapped))) {
		t.v6 = 0;
		skip = sizeof(mapped);
	}
	memcpy(src, from->src + skip, t.v6 ? 16 : 4);
	memcpy(dst, from->dst + skip, t.v6 ? 16 : 4);
	for (int i = 0; i < 2; i++) {
		t.src[i] = little_word(src + 8 * i);
		t.dst[i] = little_word(dst + 8 * i);
	}
	t.ports = le32toh(htons(from->src_port) | (uint32_t)htons(from->dst_port) << 16);
	return t;
}
