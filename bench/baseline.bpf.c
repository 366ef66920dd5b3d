// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * What ours is measured against: a program that does nothing, and one that
 * does nothing but select, by the kernel's own rule and without counters.
 */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

/* max_entries and "members" are set before load. */
struct {
	__uint(type, BPF_MAP_TYPE_REUSEPORT_SOCKARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u64);
} sockets SEC(".maps");

const volatile __u32 members = 1;

SEC("sk_reuseport")
int empty(struct sk_reuseport_md *ctx)
{
	(void)ctx;
	return SK_PASS;
}

SEC("sk_reuseport")
int bare_select(struct sk_reuseport_md *ctx)
{
	__u32 slot = (__u32)(((__u64)ctx->hash * members) >> 32);

	bpf_sk_select_reuseport(ctx, &sockets, &slot, 0);
	return SK_PASS;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
