/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What a socket iterator writes: a struct group_member for a socket. */
#ifndef BPF_GROUP_ITER_H
#define BPF_GROUP_ITER_H

#include "kernel.h"
#include "abi.h"

#ifndef AF_INET6
#define AF_INET6 10
#endif
#ifndef IPPROTO_TCP
#define IPPROTO_TCP 6
#define IPPROTO_UDP 17
#endif
#define TCP_CLOSE 7
#define TCP_LISTEN 10

/* Return the socket's group. The lookup treats a socket that has unset SO_REUSEPORT
 * again as a plain one. */
static __always_inline struct sock_reuseport *group_of_member(struct sock *sk, __u16 port)
{
	if (port && !BPF_CORE_READ_BITFIELD_PROBED(sk, __sk_common.skc_reuseport))
		return NULL;
	return BPF_CORE_READ(sk, sk_reuseport_cb);
}

/* The kernel counts the members that have set SO_INCOMING_CPU, where its pick goes by it (6.2). */
static __always_inline bool goes_by_cpu(struct sock_reuseport *group)
{
	return bpf_core_field_exists(group->incoming_cpu) && BPF_CORE_READ(group, incoming_cpu);
}

static __always_inline void read_group_program(struct group_member *member,
					       struct sock_reuseport *group)
{
	struct bpf_prog *prog = BPF_CORE_READ(group, prog);

	member->group = (__u64)group;
	member->num_socks = BPF_CORE_READ(group, num_socks);
	member->has_conns = BPF_CORE_READ_BITFIELD_PROBED(group, has_conns);
	member->user_data = goes_by_cpu(group) ? MEMBER_BY_CPU : MEMBER_BY_HASH;
	if (!prog)
		return;
	member->has_prog = 1;
	member->prog_type = BPF_CORE_READ(prog, type);
	member->prog_id = BPF_CORE_READ(prog, aux, id);
}

/* Write the socket if it is a member of a group; with a port, if it is on that port. */
static __always_inline void write_member(struct seq_file *seq, struct sock *sk, __u32 proto,
					 __u32 uid, __u16 port)
{
	struct group_member member = { .proto = proto, .uid = uid };
	struct sock_reuseport *group = group_of_member(sk, port);

	member.port = BPF_CORE_READ(sk, __sk_common.skc_num);
	if (port ? member.port != port : !group)
		return;
	if (group)
		read_group_program(&member, group);
	member.cookie = BPF_CORE_READ(sk, __sk_common.skc_cookie.counter);
	member.family = BPF_CORE_READ(sk, __sk_common.skc_family);
	member.cpu = BPF_CORE_READ(sk, __sk_common.skc_incoming_cpu);
	member.ifindex = BPF_CORE_READ(sk, __sk_common.skc_bound_dev_if);
	member.user_data |= (__u64)BPF_CORE_READ(sk, sk_user_data) & 7;
	member.v6only = BPF_CORE_READ_BITFIELD_PROBED(sk, __sk_common.skc_ipv6only);
	if (member.family == AF_INET6)
		BPF_CORE_READ_INTO(&member.addr, sk, __sk_common.skc_v6_rcv_saddr.in6_u.u6_addr8);
	else
		BPF_CORE_READ_INTO((__be32 *)member.addr, sk, __sk_common.skc_rcv_saddr);
	bpf_seq_write(seq, &member, sizeof(member));
}

/*
 * Return 0 to go on, and 1 at the first socket that does not listen: those come last, and the read
 * fails with EAGAIN there. To go on would not only take long. The kernel's iterator takes a
 * reference on each request in the table of connections, also on one that was put there a moment
 * ago and has none yet (reqsk_queue_hash_req): its count is wrong from then on (seen on 6.18).
 */
static __always_inline int write_tcp(struct bpf_iter__tcp *ctx, __u16 port)
{
	struct sock_common *sk = ctx->sk_common;
	__u8 state;

	if (!sk)
		return 0;
	state = BPF_CORE_READ(sk, skc_state);
	if (state != TCP_LISTEN)
		return state != TCP_CLOSE; /* it listened a moment ago */
	write_member(ctx->meta->seq, (struct sock *)sk, IPPROTO_TCP, ctx->uid, port);
	return 0;
}

static __always_inline void write_udp(struct bpf_iter__udp *ctx, __u16 port)
{
	struct udp_sock *sk = ctx->udp_sk;

	if (sk)
		write_member(ctx->meta->seq, (struct sock *)sk, IPPROTO_UDP, ctx->uid, port);
}

#endif
