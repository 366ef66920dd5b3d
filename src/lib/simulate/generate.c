// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* reuseport_generate(): generate packets. */
#include <errno.h>
#include <sys/socket.h>

#include "error.h"
#include "reuseport_simulate.h"
#include "simulate/random_stream.h"

/* Generate the address of a client: nearly any that the Internet has. */
static void generate_address(uint64_t seed, uint64_t client, uint8_t addr[16])
{
	uint64_t dots = random_number(seed, STREAM_ADDRESS, client);

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
		return fail(err, EINVAL, "the number of packets must be 1 or more");
	for (size_t i = 0; i < n; i++) {
		size_t client = clients ? random_number(seed, STREAM_CLIENT, i) % clients : i;

		tuples[i] = (struct reuseport_tuple){
			.family = AF_INET,
			.dst = { 192, 0, 2, 1 }, /* for documentation, RFC 5737 */
			.src_port = 1024 + random_number(seed, STREAM_PORT, i) % 64512,
			.dst_port = 443,
		};
		generate_address(seed, client, tuples[i].src);
	}
	return 0;
}
