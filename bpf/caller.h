/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Caller: the socket that a socket option is called for, and what this set of hooks knows of it. */
#ifndef BPF_CALLER_H
#define BPF_CALLER_H

#include "kernel.h"
#include "sockopt_maps.h"

const volatile bool netns_cookies; /* as the hooks have it */

#define SOCKET_RAW 3 /* SOCK_RAW */

struct caller {
	struct sock *sk; /* for probe reads only */
	__u64 cookie;    /* 0: nobody has asked for it yet, so it is no member's */
	bool bound;
	bool known; /* its group is steered, or it is a member */
	bool no_sockopt;
};

/* Return whether it is a socket that can be a worker's. MPTCP has a protocol of its own, a raw
 * socket any. */
static __always_inline bool caller_can_work(struct bpf_sock *sk)
{
	return (sk->family == FAMILY_INET || sk->family == FAMILY_INET6) &&
	       sk->type != SOCKET_RAW && (sk->protocol == PROTO_TCP || sk->protocol == PROTO_UDP);
}

/* A connection has the port of its listener, and is no worker. */
static __always_inline bool caller_is_connection(struct bpf_sock *sk)
{
	return sk->protocol == PROTO_TCP && sk->state != BPF_TCP_LISTEN &&
	       sk->state != BPF_TCP_CLOSE;
}

/* Return the kernel's socket. The verifier allows no arithmetic on the pointer, so its value is
 * read back from the stack. */
static __always_inline struct sock *caller_kernel_sock(struct bpf_sock *sk)
{
	struct bpf_sock *pointer = sk;
	struct sock *address = NULL;

	bpf_probe_read_kernel(&address, sizeof(address), &pointer);
	return address;
}

static __always_inline __u64 caller_netns_cookie(const struct caller *caller)
{
	struct sock *sk = caller->sk;

	return netns_cookies ? BPF_CORE_READ(sk, __sk_common.skc_net.net, net_cookie) : 0;
}

static __always_inline __u8 caller_v6only(const struct caller *caller)
{
	struct sock *sk = caller->sk;

	return BPF_CORE_READ_BITFIELD_PROBED(sk, __sk_common.skc_ipv6only);
}

static __always_inline struct steered *caller_group(struct bpf_sock *sk,
						    const struct caller *caller)
{
	struct steered_key key = {
		.netns_cookie = caller_netns_cookie(caller),
		.ifindex = sk->bound_dev_if,
		.port = sk->src_port,
		.proto = sk->protocol,
		.family = sk->family,
		.v6only = caller_v6only(caller),
	};
	__u32 *addr = (__u32 *)key.addr;

	if (key.family == FAMILY_INET6) {
		addr[0] = sk->src_ip6[0];
		addr[1] = sk->src_ip6[1];
		addr[2] = sk->src_ip6[2];
		addr[3] = sk->src_ip6[3];
	} else {
		addr[0] = sk->src_ip4;
	}
	return bpf_map_lookup_elem(&steered, &key);
}

static __always_inline struct member *caller_member(const struct caller *caller)
{
	return caller->cookie ? bpf_map_lookup_elem(&members, &caller->cookie) : NULL;
}

static __always_inline void caller_find(struct caller *caller, struct bpf_sock *sk)
{
	struct sock *kernel_sock = caller_kernel_sock(sk);
	struct steered *group;
	struct member *member;

	caller->sk = kernel_sock;
	caller->cookie = BPF_CORE_READ(kernel_sock, __sk_common.skc_cookie.counter);
	caller->bound = sk->src_port != 0;
	if (!caller->bound || caller_is_connection(sk))
		return;
	group = caller_group(sk, caller);
	if (group) {
		caller->known = true;
		caller->no_sockopt = group->no_sockopt;
	}
	/* A worker that has bound itself to a device, say, has another address than its group. */
	member = caller_member(caller);
	if (member) {
		caller->known = true;
		caller->no_sockopt |= member->no_sockopt;
	}
}

#endif
