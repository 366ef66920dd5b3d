/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * Sticky flows: where a 4-tuple is in the table, and who makes room. A table of
 * buckets, each of which forgets the flow that was seen least recently. Pure: the
 * same text in the BPF program, the tests and the tools.
 *
 * Of two flows with one tag in one bucket the second takes the place of the first:
 * they share a worker. That is 8 in 2^32 for a new flow and a full table.
 */
#ifndef DECIDE_FLOW_H
#define DECIDE_FLOW_H

#include "abi.h"
#include "decide/hash.h"
#include "decide/key.h"

/* Ticks between two notes of when a flow was seen: each dirties the line. */
#define FLOW_NOTE_TICKS 32

/* By so much another CPU may have seen a flow later than "now", which this one read
 * a while ago: on a virtual machine it may have stood still since. */
#define FLOW_AHEAD_TICKS (1U << 20)

/* SipHash-1-3 of addresses and ports, with a key of the attachment's own. */
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

/* Its place in the bucket; NULL if it has none. */
static inline struct flow *flow_find(struct flow_bucket *bucket, __u32 tag)
{
	for (__u32 i = 0; i < FLOW_BUCKET_FLOWS; i++)
		if (bucket->flow[i].tag == tag)
			return &bucket->flow[i];
	return NULL;
}

/* Ticks since it was seen. */
static inline __u32 flow_age(const struct flow *flow, __u32 now)
{
	__u32 age = now - flow->seen;

	return age > ~0U - FLOW_AHEAD_TICKS ? 0 : age;
}

/* The place for a new one: a free one, else that of the one not seen for longest. */
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

/* Whether it is still that worker's. */
static inline int flow_is_of(const struct flow *flow, const struct worker_entry *worker)
{
	return (__u32)worker->cookie == flow->cookie && worker->state < WORKER_LEAVING;
}

#endif
