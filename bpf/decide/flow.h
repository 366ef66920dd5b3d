/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * Sticky flows: where a 4-tuple is in the flow table, and which flow makes room for a
 * new one. The table consists of buckets. Each evicts the flow that was seen least
 * recently. Pure: the same text in the BPF program, the tests and the tools.
 *
 * Two flows with equal tags in one bucket share an entry, and so a worker. For a new
 * flow and a full table the probability is 8 in 2^32.
 */
#ifndef DECIDE_FLOW_H
#define DECIDE_FLOW_H

#include "abi.h"
#include "decide/hash.h"
#include "decide/key.h"

/* Ticks between two updates of a flow's "seen": each update dirties a cache line. */
#define FLOW_NOTE_TICKS 32

/* How far a flow's "seen" may lie after "now": another CPU may have noted the flow
 * since this one read the clock, and a virtual machine may have paused in between. */
#define FLOW_AHEAD_TICKS (1U << 20)

/* Return SipHash-1-3 of the addresses and ports, by the attachment's key. */
static inline __u64 flow_hash(const __u64 key[2], const struct tuple *t)
{
	struct siphash s;

	siphash_begin(&s, key);
	return key_hash_tuple(&s, t);
}

static inline __u32 flow_tag(__u64 hash)
{
	return (__u32)hash ? (__u32)hash : 1;
}

static inline __u32 flow_bucket(__u64 hash, __u32 buckets)
{
	return decide_hash(hash >> 32, buckets);
}

/* Return the flow with this tag, NULL if the bucket has none. */
static inline struct flow *flow_find(struct flow_bucket *bucket, __u32 tag)
{
	for (__u32 i = 0; i < FLOW_BUCKET_FLOWS; i++)
		if (bucket->flow[i].tag == tag)
			return &bucket->flow[i];
	return NULL;
}

/* Return the ticks since the flow was seen. */
static inline __u32 flow_age(const struct flow *flow, __u32 now)
{
	__u32 age = now - flow->seen;

	return age > ~0U - FLOW_AHEAD_TICKS ? 0 : age;
}

/* Return the place for a new flow: a free one, else the least recently seen flow's. */
static inline struct flow *flow_make_room(struct flow_bucket *bucket, __u32 now)
{
	__u32 oldest = 0, age = 0;

	for (__u32 i = 0; i < FLOW_BUCKET_FLOWS; i++) {
		__u32 since = bucket->flow[i].tag ? flow_age(&bucket->flow[i], now) : ~0U;

		if (since > age) {
			age = since;
			oldest = i;
		}
	}
	return &bucket->flow[oldest % FLOW_BUCKET_FLOWS];
}

static inline int flow_is_idle(const struct flow *flow, __u32 now, __u32 idle_ticks)
{
	return idle_ticks && flow_age(flow, now) > idle_ticks;
}

/* Return whether the flow still belongs to that worker. */
static inline int flow_is_of(const struct flow *flow, const struct worker_entry *worker)
{
	return (__u32)worker->cookie == flow->cookie && worker->state < WORKER_LEAVING;
}

#endif
