/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Sticky flows: which worker a 4-tuple went to before. A flow stays with its
 * worker while that lives and does not leave; else it is like a new one.
 */
#ifndef BPF_FLOWS_H
#define BPF_FLOWS_H

#include "maps.h"
#include "packet.h"

#define EEXIST 17

const volatile __u32 flows;    /* elements of the map; 0: flows are not sticky */
const volatile __u32 idle_ms;  /* after which a flow is new again; 0: never */
const volatile bool ipv4_only; /* the group is of AF_INET */
const volatile bool coarse_clock; /* the kernel has it (5.11) */

union flow_key {
	struct flow_key4 v4;
	struct flow_key6 v6;
};

static __always_inline void flow_key4_of(struct flow_key4 *key, const struct tuple *t)
{
	__u32 ports = LITTLE_HALF(t->ports);

	key->src = LITTLE_HALF((__u32)t->src[0]);
	key->dst = LITTLE_HALF((__u32)t->dst[0]);
	__builtin_memcpy(&key->src_port, &ports, sizeof(ports));
}

static __always_inline void flow_key6_of(struct flow_key6 *key, const struct tuple *t)
{
	__u32 ports = LITTLE_HALF(t->ports);

	__builtin_memcpy(&key->src_port, &ports, sizeof(ports));
	if (!t->v6) {
		key->src[0] = key->src[1] = key->dst[0] = key->dst[1] = 0;
		key->src[2] = key->dst[2] = bpf_htonl(0xffff);
		key->src[3] = LITTLE_HALF((__u32)t->src[0]);
		key->dst[3] = LITTLE_HALF((__u32)t->dst[0]);
		return;
	}
	for (int i = 0; i < 2; i++) {
		key->src[2 * i] = LITTLE_HALF((__u32)t->src[i]);
		key->src[2 * i + 1] = LITTLE_HALF((__u32)(t->src[i] >> 32));
		key->dst[2 * i] = LITTLE_HALF((__u32)t->dst[i]);
		key->dst[2 * i + 1] = LITTLE_HALF((__u32)(t->dst[i] >> 32));
	}
}

static __always_inline void flow_key_of(union flow_key *key, const struct tuple *t)
{
	if (ipv4_only)
		flow_key4_of(&key->v4, t);
	else
		flow_key6_of(&key->v6, t);
}

static __always_inline struct flow *flow_find(const union flow_key *key)
{
	if (ipv4_only)
		return bpf_map_lookup_elem(&flows4, &key->v4);
	return bpf_map_lookup_elem(&flows6, &key->v6);
}

static __always_inline long flow_enter(const union flow_key *key, const struct flow *flow)
{
	if (ipv4_only)
		return bpf_map_update_elem(&flows4, &key->v4, flow, BPF_NOEXIST);
	return bpf_map_update_elem(&flows6, &key->v6, flow, BPF_NOEXIST);
}

/* A tick more or less does not count. */
static __always_inline __u32 flow_now(void)
{
	if (!idle_ms)
		return 0;
	if (coarse_clock)
		return bpf_ktime_get_coarse_ns() / 1000000;
	return bpf_ktime_get_ns() / 1000000;
}

static __always_inline bool flow_is_idle(const struct flow *flow, __u32 now)
{
	return idle_ms && now - flow->seen_ms > idle_ms;
}

/* The time is written now and then only: else each packet would dirty the line. */
static __always_inline void flow_touch(struct flow *flow, __u32 now)
{
	if (idle_ms && now - flow->seen_ms > idle_ms / 16)
		flow->seen_ms = now;
}

/* Whether its worker is still there, and keeps its flows. */
static __always_inline bool flow_has_worker(const struct flow *flow)
{
	__u32 slot = flow->slot;
	struct worker_entry *worker = bpf_map_lookup_elem(&workers, &slot);

	return worker && worker->cookie == flow->cookie && worker->state < WORKER_LEAVING;
}

#endif
