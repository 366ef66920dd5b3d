/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Tell the keeper what has changed within the group: that it has another number of members,
 * or that a slot of the table is empty. Each is told once, through the ring buffer in the
 * map "events"; the keeper then looks itself.
 */
#ifndef BPF_TELL_H
#define BPF_TELL_H

#include "maps.h"
#include "sock_reuseport.h"

#ifndef likely /* libbpf 1.6 has it */
#define likely(condition) __builtin_expect(!!(condition), 1)
#endif

#define TELL_SAMPLE 32 /* of so many packets one is for a look by probe reads */

const volatile bool tells;        /* there is a map "events" */
const volatile __u64 attached_ns; /* says which attachment it is */

/* Before Linux 6.8 a global function is verified although nothing calls it: it must do without
 * the map by itself. */
__noinline int tell(__u32 kind, __u32 members)
{
	struct socket_event event = { .kind = kind, .members = members, .cookie = attached_ns };
	__u32 zero = 0;
	void *ring;

	if (!tells)
		return 0;
	ring = bpf_map_lookup_elem(&events, &zero);
	if (ring)
		bpf_ringbuf_output(ring, &event, sizeof(event), 0);
	return 0;
}

/* The kernel has just read the number, so it is in the cache. */
static __always_inline void tell_of_members(struct sk_reuseport_md *ctx)
{
	__u16 n = KERNEL_READ(struct sock_reuseport, group_of(ctx), num_socks);

	if (likely(n == control.members))
		return;
	control.members = n;
	tell(SOCKET_EVENT_MEMBERS, n);
}

/* Do so where that takes probe reads. */
__noinline int tell_sampled(struct sk_reuseport_md *ctx)
{
	tell_of_members(ctx);
	return 0;
}

static __always_inline void tell_of_empty_slot(void)
{
	__u8 epoch = control.epoch;

	if (!tells || control.told == epoch)
		return;
	control.told = epoch;
	tell(SOCKET_EVENT_EMPTY, 0);
}

#endif
