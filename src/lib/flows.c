// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* Flows: what the map of the sticky flows holds. */
#include <bpf/bpf.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "clock.h"
#include "flows.h"
#include "reuseport_bpf.h"

#define BATCH 16384 /* more than any bucket of the hash has */

static bool is_live(const struct mapped *mapped, const struct flow *flow, uint32_t now_ms)
{
	const struct worker_entry *worker = &mapped->workers[flow->slot];
	uint32_t idle_ms = mapped->size.idle_ms;

	return flow->slot < mapped->size.slots && worker->cookie == flow->cookie &&
	       worker->state < WORKER_LEAVING && !(idle_ms && now_ms - flow->seen_ms > idle_ms);
}

static uint32_t now_ms(void)
{
	return clock_ns(CLOCK_MONOTONIC) / CLOCK_MS;
}

int flows_count(const struct steering *steering, const struct mapped *mapped, uint64_t *by_slot,
		uint64_t *occupied)
{
	struct flow *flows = malloc(BATCH * sizeof(*flows));
	struct flow_key6 *keys = malloc(BATCH * sizeof(*keys)); /* or the smaller ones */
	uint32_t from, *after = NULL, n, now = now_ms();
	int ret = flows && keys ? 0 : -ENOMEM;

	*occupied = 0;
	while (!ret) {
		n = BATCH;
		if (bpf_map_lookup_batch(steering->maps[MAP_FLOWS], after, &from, keys, flows, &n,
					 NULL))
			ret = -errno;
		if (ret && ret != -ENOENT)
			break;
		for (uint32_t i = 0; i < n; i++)
			if (is_live(mapped, &flows[i], now))
				by_slot[flows[i].slot]++;
		*occupied += n;
		after = &from;
	}
	free(flows);
	free(keys);
	return ret == -ENOENT ? 0 : ret;
}

/* An IPv4 address as an IPv6 group has it. */
static void copy_address(uint32_t to[4], const uint8_t *from, bool mapped)
{
	to[0] = to[1] = 0;
	to[2] = htonl(0xffff);
	memcpy(mapped ? &to[3] : &to[0], from, mapped ? 4 : 16);
}

static void make_key6(struct flow_key6 *key, const struct reuseport_packet *packet)
{
	copy_address(key->src, packet->src, packet->family == AF_INET);
	copy_address(key->dst, packet->dst, packet->family == AF_INET);
	key->src_port = htons(packet->src_port);
	key->dst_port = htons(packet->dst_port);
}

static void make_key4(struct flow_key4 *key, const struct reuseport_packet *packet)
{
	memcpy(&key->src, packet->src, sizeof(key->src));
	memcpy(&key->dst, packet->dst, sizeof(key->dst));
	key->src_port = htons(packet->src_port);
	key->dst_port = htons(packet->dst_port);
}

bool flows_find(const struct steering *steering, const struct mapped *mapped,
		const struct reuseport_packet *packet, struct flow *flow)
{
	union {
		struct flow_key4 v4;
		struct flow_key6 v6;
	} key;

	if (!mapped->size.flows)
		return false;
	if (mapped->size.ipv4)
		make_key4(&key.v4, packet);
	else
		make_key6(&key.v6, packet);
	return !bpf_map_lookup_elem(steering->maps[MAP_FLOWS], &key, flow) &&
	       is_live(mapped, flow, now_ms());
}
