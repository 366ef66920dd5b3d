// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * The steering program: for each SYN, datagram or migrating request, read the
 * kernel's group, decide by the policy, select the worker's slot, count.
 *
 * One entry point a policy, of which user space loads one. Whatever fails, the
 * return value is SK_PASS: without a selection the kernel picks by itself.
 */
#include "kernel.h"
#include "abi.h"
#include "member.h"
#include "decide/hash.h"
#include "decide/linux39.h"

#define ENOENT 2
#define TCP_ESTABLISHED 1

/* max_entries of the first three are set to the number of slots at load. */
struct {
	__uint(type, BPF_MAP_TYPE_REUSEPORT_SOCKARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u64); /* a look-up gives the socket's cookie */
} sockets SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct worker_entry);
} workers SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct slot_counters);
} counters SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct group_counters);
} totals SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct attachment_entry);
} attachment SEC(".maps");

const volatile __u32 slots = 1;
const volatile bool migrate = true; /* the attach type is select-or-migrate */

/* Address of the first entry of "sockets", found by the first packet. */
__u64 first_entry;

enum policy { POLICY_HASH, POLICY_LINUX39 };

static __always_inline __u32 decide(enum policy policy, __u32 hash, __u32 n)
{
	if (policy == POLICY_LINUX39)
		return decide_linux39(hash, n);
	return decide_hash(hash, n);
}

/*
 * A connected UDP socket has left the array. (Up to Linux 6.12 one that was
 * bound to an address stays; the kernel then goes by its score, whatever we
 * select, and to ask here each time would cost as much as the counters.)
 */
static __always_inline bool is_connected(struct sock *sk)
{
	return KERNEL_READ(struct sock, sk, __sk_common.skc_state) == TCP_ESTABLISHED;
}

/* A member has set SO_INCOMING_CPU, by which the kernel then picks (6.2). */
static __always_inline bool has_incoming_cpu(struct sock_reuseport *group)
{
	return bpf_core_field_exists(group->incoming_cpu) &&
	       KERNEL_READ(struct sock_reuseport, group, incoming_cpu);
}

/*
 * The slot of the member that the policy picks, or NO_SLOT with the reason
 * counted.
 */
static __always_inline __u32 pick_slot(struct sk_reuseport_md *ctx, enum policy policy,
				       struct group_counters *total)
{
	struct sock_reuseport *group = group_of(ctx);
	__u32 n = KERNEL_READ(struct sock_reuseport, group, num_socks);
	struct sock *sk;
	__u32 slot;

	if (!n) {
		total->unreadable++;
		return NO_SLOT;
	}
	if (policy == POLICY_HASH && has_incoming_cpu(group)) {
		total->incoming_cpu++;
		return NO_SLOT;
	}
	sk = member_of(group, decide(policy, ctx->hash, n));
	if (!first_entry)
		first_entry = first_entry_of(&sockets);
	slot = slot_of(sk, first_entry, slots);
	if (slot == NO_SLOT) {
		if (is_connected(sk))
			total->connected++;
		else
			total->unregistered++;
	}
	return slot;
}

/*
 * Policy "hash" has found out which socket the kernel picks: to select the same
 * one would change nothing and cost more than all the rest.
 */
static __always_inline long select(struct sk_reuseport_md *ctx, enum policy policy, __u32 slot)
{
	return policy == POLICY_HASH ? 0 : bpf_sk_select_reuseport(ctx, &sockets, &slot, 0);
}

static __always_inline int steer(struct sk_reuseport_md *ctx, enum policy policy, bool migrating)
{
	struct group_counters *total;
	struct slot_counters *count;
	__u32 slot, zero = 0;
	long err;

	total = bpf_map_lookup_elem(&totals, &zero);
	if (!total)
		return SK_PASS;
	if (migrating)
		total->migrations++;
	else
		total->packets++;

	slot = pick_slot(ctx, policy, total);
	if (slot == NO_SLOT)
		return SK_PASS;
	err = select(ctx, policy, slot);
	count = bpf_map_lookup_elem(&counters, &slot);
	if (!count)
		return SK_PASS;
	if (err == -ENOENT)
		count->empty++;
	else if (err)
		count->refused++;
	else if (migrating)
		count->migrated++;
	else
		count->selected++;
	return SK_PASS;
}

SEC("sk_reuseport/migrate")
int steer_hash(struct sk_reuseport_md *ctx)
{
	return steer(ctx, POLICY_HASH, migrate && ctx->migrating_sk);
}

SEC("sk_reuseport/migrate")
int steer_linux39(struct sk_reuseport_md *ctx)
{
	return steer(ctx, POLICY_LINUX39, migrate && ctx->migrating_sk);
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
