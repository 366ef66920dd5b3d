// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* Programs that are not this toolkit's: one without an array, one with one, and one that gives
 * packets to port 53 to the socket in a sockmap. */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

struct {
	__uint(type, BPF_MAP_TYPE_REUSEPORT_SOCKARRAY);
	__uint(max_entries, 64);
	__type(key, __u32);
	__type(value, __u64);
} foreign_array SEC(".maps");

SEC("sk_reuseport")
int foreign_pass(struct sk_reuseport_md *ctx)
{
	(void)ctx;
	return SK_PASS;
}

SEC("sk_reuseport")
int foreign_select(struct sk_reuseport_md *ctx)
{
	__u32 zero = 0;

	bpf_sk_select_reuseport(ctx, &foreign_array, &zero, 0);
	return SK_PASS;
}

struct {
	__uint(type, BPF_MAP_TYPE_SOCKMAP);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u64);
} foreign_sockmap SEC(".maps");

SEC("sk_lookup")
int foreign_lookup(struct bpf_sk_lookup *ctx)
{
	__u32 zero = 0;
	struct bpf_sock *sk;

	if (ctx->local_port != 53)
		return SK_PASS;
	sk = bpf_map_lookup_elem(&foreign_sockmap, &zero);
	if (sk) {
		bpf_sk_assign(ctx, sk, 0);
		bpf_sk_release(sk);
	}
	return SK_PASS;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
