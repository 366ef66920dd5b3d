// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* Tuple: addresses and ports of packets, as the decisions take them; made up. */
#include <arpa/inet.h>
#include <endian.h>
#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#include "error.h"
#include "simulate/generate.h"
#include "simulate/random_stream.h"

static uint64_t little_word(const uint8_t *bytes)
{
	uint64_t word;

	memcpy(&word, bytes, sizeof(word));
	return le64toh(word);
}

struct tuple tuple_of(const struct reuseport_tuple *from)
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

/* ---------------------------------------------------------------- generated */

/* Any address that a client on the Internet could have, or nearly. */
static void client_address(uint64_t seed, uint64_t client, uint8_t addr[16])
{
	uint64_t dots = dice(seed, DICE_CLIENT, client);

	for (int i = 0; i < 4; i++)
		addr[i] = dots >> (8 * i);
	addr[0] = 1 + (dots >> 32) % 223;
	if (addr[0] == 10 || addr[0] == 127)
		addr[0]++;
}

int reuseport_generate(struct reuseport_tuple *tuples, size_t n, size_t clients, uint64_t seed,
		       struct reuseport_error *err)
{
	if (!n)
		return fail(err, EINVAL, "no packet is asked for: 1 or more");
	for (size_t i = 0; i < n; i++) {
		size_t client = clients ? dice(seed, DICE_WHO, i) % clients : i;

		tuples[i] = (struct reuseport_tuple){
			.family = AF_INET,
			.dst = { 192, 0, 2, 1 }, /* for documentation, RFC 5737 */
			.src_port = 1024 + dice(seed, DICE_PORT, i) % 64512,
			.dst_port = 443,
		};
		client_address(seed, client, tuples[i].src);
	}
	return 0;
}
