// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* reuseport_tuple_list__generate(): generate packets. */
#include <errno.h>
#include <sys/socket.h>

#include "error.h"
#include "simulate/random_stream.h"
#include "simulate/tuple_list.h"

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

int reuseport_tuple_list__generate(struct reuseport_tuple_list *list, size_t n, size_t clients,
				   uint64_t seed, struct reuseport_error *err)
{
	int ret;

	if (!list)
		return fail(err, EINVAL, "there is no list to add packets to");
	if (!n)
		return fail(err, EINVAL, "the number of packets must be 1 or more");
	ret = tuple_list_reserve(list, n, err);
	for (size_t i = 0; !ret && i < n; i++) {
		size_t client = clients ? random_number(seed, STREAM_CLIENT, i) % clients : i;
		struct reuseport_tuple *tuple = tuple_list_at(list, list->n++);

		*tuple = (struct reuseport_tuple){
			.sz = sizeof(*tuple),
			.family = AF_INET,
			.dst = { 192, 0, 2, 1 }, /* for documentation, RFC 5737 */
			.src_port = 1024 + random_number(seed, STREAM_PORT, i) % 64512,
			.dst_port = 443,
		};
		generate_address(seed, client, tuple->src);
	}
	return ret;
}
