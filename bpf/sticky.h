/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Sticky flows: find the worker of a flow, and remember it. The flows are in a map
 * of buckets, see decide/flow.h.
 */
#ifndef BPF_STICKY_H
#define BPF_STICKY_H

#include "asked.h"
#include "decide/flow.h"
#include "maps.h"
#include "packet.h"
#include "select.h"

/* Tries to get a lock, some 20 us: an interrupt of the other CPU. */
#define FLOW_LOCK_TRIES 32 /* in each call, for so many calls */

const volatile __u32 flow_buckets; /* of the map "flows"; 0: flows are not sticky */
const volatile __u32 idle_ticks;   /* after which a flow is new again; 0: never */
const volatile __u64 flow_key[2];  /* of SipHash */

static __always_inline struct flow_bucket *flow_bucket_of(__u64 hash)
{
	__u32 index = flow_bucket(hash, flow_buckets);

	return bpf_map_lookup_elem(&flows, &index);
}

/* Return the hash of a packet that is not a plain IPv4 one. The key is read as
 * volatile, as it is declared: else the compiler would use the zeroes that stand
 * here. */
__noinline __u64 any_flow_hash(struct sk_reuseport_md *ctx)
{
	const __u64 key[2] = { flow_key[0], flow_key[1] };
	struct tuple t = { 0 };

	tuple_of_packet(&t, ctx);
	return flow_hash(key, &t);
}

static __always_inline __u64 flow_hash_of(struct sk_reuseport_md *ctx)
{
	const __u64 key[2] = { flow_key[0], flow_key[1] };
	struct tuple t = { 0 };
	struct siphash s;

	if (!likely(tuple_of_ipv4(&t, ctx)))
		return any_flow_hash(ctx);
	siphash_begin(&s, key);
	return key_hash_tuple4(&s, &t);
}

/* The flow's entry when this run looked; all 0: there was none. */
struct flow_before {
	__u32 cookie, seen;
};

/*
 * Take the lock once; return whether this CPU is alone and so has it. Old kernels
 * (before 5.12) have an atomic addition without a result only; it costs a tenth of a
 * spin lock's two calls. On x86 it is a full barrier. Elsewhere two CPUs may rarely
 * both enter, and the flow then belongs to no worker.
 */
static __always_inline bool flow_try_lock(struct flow_lock *lock)
{
	__sync_fetch_and_add(&lock->entering, 1);
	if (*(volatile __u64 *)&lock->entering == 1)
		return true;
	__sync_fetch_and_add(&lock->entering, -1);
	return false;
}

/* Take the lock with this index; return 0 after FLOW_LOCK_TRIES attempts. The verifier
 * checks it once, and not each attempt of each call. */
__noinline int flow_lock_soon(__u32 index)
{
	struct flow_lock *lock;

	/* Up to Linux 6.7 it checks this function even if flows are not sticky, and the
	 * locks are missing then. */
	if (!flow_buckets)
		return 0;
	lock = bpf_map_lookup_elem(&flow_locks, &index);
	for (__u32 i = 0; lock && i < FLOW_LOCK_TRIES; i++)
		if (flow_try_lock(lock))
			return 1;
	return 0;
}

/* Take the bucket's lock; return false if another CPU keeps it for too long. */
static __always_inline bool flow_lock_bucket(struct flow_lock *lock, __u32 index)
{
	if (likely(flow_try_lock(lock)))
		return true;
	for (__u32 i = 0; i < FLOW_LOCK_TRIES; i++)
		if (flow_lock_soon(index))
			return true;
	return false;
}

static __always_inline void flow_unlock_bucket(struct flow_lock *lock)
{
	barrier();
	__sync_fetch_and_add(&lock->entering, -1);
}

/*
 * Enter the flow as this worker's and return -1. If another CPU has entered it since
 * this run looked, change nothing and return the slot of its worker. The tag is
 * written last: a CPU that looks meanwhile finds no flow, or one of no worker.
 */
__noinline int remember_flow(__u64 hash, __u32 slot, __u32 now, __u32 cookie_before,
			     __u32 seen_before)
{
	struct worker_entry *worker;
	struct flow_bucket *bucket;
	struct flow_lock *lock;
	__u32 tag = flow_tag(hash), cookie, index;
	bool entered = false, moved = false;
	struct flow *flow;
	int first = -1;

	/* The verifier checks this function even if flows are not sticky, and the maps
	 * are missing then. */
	if (!flow_buckets)
		return -1;
	worker = bpf_map_lookup_elem(&workers, &slot);
	bucket = flow_bucket_of(hash);
	index = flow_bucket(hash, flow_buckets) % FLOW_LOCKS;
	lock = bpf_map_lookup_elem(&flow_locks, &index);
	if (!worker || !bucket || !lock)
		return -1;
	cookie = worker->cookie;
	if (!flow_lock_bucket(lock, index))
		return -1;
	flow = flow_find(bucket, tag);
	if (flow && (flow->cookie != cookie_before || flow->seen != seen_before)) {
		first = flow->slot;
	} else {
		if (flow) {
			moved = flow->cookie != cookie;
		} else {
			entered = true;
			flow = flow_make_room(bucket, now);
			flow->tag = 0;
		}
		barrier();
		flow->cookie = cookie;
		flow->slot = slot;
		flow->seen = now;
		barrier();
		flow->tag = tag;
	}
	flow_unlock_bucket(lock);
	if (entered)
		COUNT(flows);
	if (moved)
		COUNT(flows_moved);
	return first;
}

/* Give the packet to the flow's worker instead of the one that it was given to. */
static __always_inline void follow_first(struct sk_reuseport_md *ctx, __u32 given, __u32 first)
{
	struct slot_counters *count;

	if (first == given || select_slot(ctx, first, false))
		return;
	count = bpf_map_lookup_elem(&counters, &given);
	if (count)
		count->selected--;
}

/* Select the flow's worker; return whether there is one and it took the packet. */
static __always_inline bool follow_flow(struct sk_reuseport_md *ctx, __u64 hash, __u32 now,
					struct flow_before *before)
{
	struct flow_bucket *bucket = flow_bucket_of(hash);
	struct flow *flow = bucket ? flow_find(bucket, flow_tag(hash)) : NULL;
	struct worker_entry *worker;
	__u32 slot;

	if (!flow)
		return false;
	before->cookie = flow->cookie;
	before->seen = flow->seen;
	slot = flow->slot;
	worker = bpf_map_lookup_elem(&workers, &slot);
	if (!worker || !flow_is_of(flow, worker) || flow_is_idle(flow, now, idle_ticks) ||
	    asks_for_release(slot) || select_slot(ctx, slot, false))
		return false;
	if (flow_age(flow, now) > FLOW_NOTE_TICKS)
		flow->seen = now;
	return true;
}

#endif
