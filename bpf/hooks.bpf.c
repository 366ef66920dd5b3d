// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Hooks: the one set of programs, for all attachments of a host, that runs for what other
 * processes do. A bind of a socket with SO_REUSEPORT, to a port that is of interest, is
 * told to each keeper that follows it. Everything else costs one look-up at most.
 *
 * Nothing here runs for a connection: what changes within a group is told by the steering
 * program, see tell.h.
 *
 * The iterators are here so that the commands find them pinned, and need not load them.
 */
#include "kernel.h"
#include "group_iter.h"
#include "hook_maps.h"

/* A namespace's cookie can be asked for by the library too (5.14). Set before load. */
const volatile bool netns_cookies;

static __always_inline void read_address(struct socket_event *event, struct sock *sk)
{
	event->uid = BPF_CORE_READ(sk, sk_socket, file, f_inode, i_uid.val);
	event->family = BPF_CORE_READ(sk, __sk_common.skc_family);
	event->ifindex = BPF_CORE_READ(sk, __sk_common.skc_bound_dev_if);
	event->v6only = BPF_CORE_READ_BITFIELD_PROBED(sk, __sk_common.skc_ipv6only);
	if (event->family == AF_INET6)
		BPF_CORE_READ_INTO(&event->addr, sk, __sk_common.skc_v6_rcv_saddr.in6_u.u6_addr8);
	else
		BPF_CORE_READ_INTO((__be32 *)event->addr, sk, __sk_common.skc_rcv_saddr);
}

static __always_inline void tell_bind(struct bpf_sock *ctx, const struct interest *key,
				      __u64 followers)
{
	struct task_struct *task = (struct task_struct *)bpf_get_current_task();
	struct sock *sk = (struct sock *)ctx;
	struct socket_event event = {
		.cookie = bpf_get_socket_cookie(ctx),
		.netns_cookie = key->netns_cookie,
		.kind = SOCKET_EVENT_BOUND,
		.pid = BPF_CORE_READ(task, tgid),
		.inode = BPF_CORE_READ(sk, sk_socket, file, f_inode, i_ino),
		.port = key->port,
		.proto = key->proto,
	};

	read_address(&event, sk);
	tell_followers(followers, &event);
}

static __always_inline int after_bind(struct bpf_sock *ctx)
{
	struct interest key = { .proto = ctx->protocol };
	struct sock *sk = (struct sock *)ctx;
	__u64 *followers;

	if (key.proto != IPPROTO_TCP && key.proto != IPPROTO_UDP)
		return 1;
	/* Without SO_REUSEPORT at its bind, a socket never gets into a group. */
	if (!BPF_CORE_READ_BITFIELD_PROBED(sk, __sk_common.skc_reuseport))
		return 1;
	key.port = ctx->src_port;
	if (netns_cookies)
		key.netns_cookie = bpf_get_netns_cookie(ctx);
	followers = bpf_map_lookup_elem(&interest, &key);
	if (followers)
		tell_bind(ctx, &key, *followers);
	return 1;
}

SEC("cgroup/post_bind4")
int hook_bind4(struct bpf_sock *ctx)
{
	return after_bind(ctx);
}

SEC("cgroup/post_bind6")
int hook_bind6(struct bpf_sock *ctx)
{
	return after_bind(ctx);
}

SEC("iter/tcp")
int hook_iter_tcp(struct bpf_iter__tcp *ctx)
{
	return write_tcp(ctx, 0);
}

SEC("iter/udp")
int hook_iter_udp(struct bpf_iter__udp *ctx)
{
	write_udp(ctx, 0);
	return 0;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
