/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The maps of the hooks that say which keeper is told of what happens at a port. */
#ifndef BPF_HOOK_MAPS_H
#define BPF_HOOK_MAPS_H

#include "abi.h"
#include "keeper_ring.h"
#include "kernel.h"

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, INTEREST_MAX);
	__type(key, struct interest);
	__type(value, __u64); /* a bit for each place that follows it */
} interest SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY_OF_MAPS);
	__uint(max_entries, HOOK_PLACES);
	__type(key, __u32);
	__array(values, struct keeper_ring);
} rings SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, HOOK_PLACES);
	__type(key, __u32);
	__type(value, struct hook_place);
} places SEC(".maps");

static __always_inline void tell_place(__u32 index, struct socket_event *event)
{
	void *ring = bpf_map_lookup_elem(&rings, &index);
	struct hook_place *place;

	if (!ring || !bpf_ringbuf_output(ring, event, sizeof(*event), 0))
		return;
	place = bpf_map_lookup_elem(&places, &index);
	if (place)
		__sync_fetch_and_add(&place->lost, 1);
}

/* Tell each place that has its bit in "followers". */
static __always_inline void tell_followers(__u64 followers, struct socket_event *event)
{
	for (__u32 i = 0; i < HOOK_PLACES && followers; i++, followers >>= 1)
		if (followers & 1)
			tell_place(i, event);
}

#endif
