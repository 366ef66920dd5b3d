/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Read the addresses and ports of what is steered: of a packet, or of a request that
 * migrates from a closing worker.
 */
#ifndef BPF_PACKET_H
#define BPF_PACKET_H

#include "decide/key.h"
#include "sock_reuseport.h"

#define ETH_P_IP 0x0800
#define AF_INET 2
#define IPV4_ADDRESSES 12 /* offset in the header */
#define IPV6_ADDRESSES 8

#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
#define LITTLE_WORD(word) __builtin_bswap64(word)
#define LITTLE_HALF(half) __builtin_bswap32(half)
#else
#define LITTLE_WORD(word) (word)
#define LITTLE_HALF(half) (half)
#endif

/* Return the address of the IP header, for plain loads. */
static __always_inline __u64 ip_header(struct sk_reuseport_md *ctx)
{
	struct sk_reuseport_kern *kern = bpf_cast_to_kern_ctx(ctx);
	struct sk_buff *skb = kern->skb;

	return (__u64)KERNEL_READ(struct sk_buff, skb, head) +
	       KERNEL_READ(struct sk_buff, skb, network_header);
}

static __always_inline void ipv4_by_loads(struct tuple *t, __u64 ip)
{
	__u64 word = kernel_word(ip + IPV4_ADDRESSES);

	word = LITTLE_WORD(word);
	t->src[0] = (__u32)word;
	t->dst[0] = word >> 32;
}

static __always_inline void ipv6_by_loads(struct tuple *t, __u64 ip)
{
	__u64 word;

	for (int i = 0; i < 2; i++) {
		word = kernel_word(ip + IPV6_ADDRESSES + i * 8);
		t->src[i] = LITTLE_WORD(word);
		word = kernel_word(ip + IPV6_ADDRESSES + 16 + i * 8);
		t->dst[i] = LITTLE_WORD(word);
	}
}

/* Read the addresses by helpers. Bytes that cannot be read stay 0, which is a valid
 * key. */
static __always_inline void addresses_by_helpers(struct tuple *t, struct sk_reuseport_md *ctx)
{
	__u32 half[2] = { 0 };
	__u64 word[4] = { 0 };

	if (!t->v6) {
		bpf_skb_load_bytes_relative(ctx, IPV4_ADDRESSES, half, 8, BPF_HDR_START_NET);
		t->src[0] = LITTLE_HALF(half[0]);
		t->dst[0] = LITTLE_HALF(half[1]);
		return;
	}
	bpf_skb_load_bytes_relative(ctx, IPV6_ADDRESSES, word, 32, BPF_HDR_START_NET);
	for (int i = 0; i < 2; i++) {
		t->src[i] = LITTLE_WORD(word[i]);
		t->dst[i] = LITTLE_WORD(word[2 + i]);
	}
}

static __always_inline void tuple_of_packet(struct tuple *t, struct sk_reuseport_md *ctx)
{
	__u32 ports = 0;

	t->v6 = ctx->eth_protocol != bpf_htons(ETH_P_IP);
	bpf_skb_load_bytes(ctx, 0, &ports, sizeof(ports));
	t->ports = LITTLE_HALF(ports);
	if (!plain_reads)
		addresses_by_helpers(t, ctx);
	else if (t->v6)
		ipv6_by_loads(t, ip_header(ctx));
	else
		ipv4_by_loads(t, ip_header(ctx));
}

/* Do the same for a plain IPv4 packet in the fewest instructions; return false for
 * any other packet. */
static __always_inline bool tuple_of_ipv4(struct tuple *t, struct sk_reuseport_md *ctx)
{
	__u32 *ports = ctx->data;

	if (!plain_reads || ctx->eth_protocol != bpf_htons(ETH_P_IP) ||
	    (void *)(ports + 1) > ctx->data_end)
		return false;
	t->ports = LITTLE_HALF(*ports);
	ipv4_by_loads(t, ip_header(ctx));
	return true;
}

/* Read the addresses of a migrating request, for which there is no packet. The client
 * is the request's peer; an IPv4 client of an IPv6 listener has a mapped address. */
static __always_inline void tuple_of_request(struct tuple *t, struct bpf_sock *sk)
{
	__u32 src[4] = { sk->dst_ip6[0], sk->dst_ip6[1], sk->dst_ip6[2], sk->dst_ip6[3] };
	__u32 dst[4] = { sk->src_ip6[0], sk->src_ip6[1], sk->src_ip6[2], sk->src_ip6[3] };
	__u32 port = sk->dst_port;

	t->ports = LITTLE_HALF(bpf_htonl(bpf_ntohs(port) << 16 | sk->src_port));
	t->v6 = sk->family != AF_INET && (src[0] || src[1] || src[2] != bpf_htonl(0xffff));
	if (!t->v6) {
		t->src[0] = LITTLE_HALF(sk->family == AF_INET ? sk->dst_ip4 : src[3]);
		t->dst[0] = LITTLE_HALF(sk->family == AF_INET ? sk->src_ip4 : dst[3]);
		return;
	}
	for (int i = 0; i < 2; i++) {
		t->src[i] = (__u64)LITTLE_HALF(src[2 * i + 1]) << 32 | LITTLE_HALF(src[2 * i]);
		t->dst[i] = (__u64)LITTLE_HALF(dst[2 * i + 1]) << 32 | LITTLE_HALF(dst[2 * i]);
	}
}

#endif
