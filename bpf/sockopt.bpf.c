// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Socket options: the programs at the root cgroup through which a worker asks for something, and
 * reads what holds for it (include/reuseport_sockopt.h). They run for each setsockopt() and
 * getsockopt() of the host, and leave alone what is not theirs.
 *
 * There may be several sets of hooks, one for each bpffs: for one call all of them run, one after
 * the other. The one that knows the socket answers; of a socket that is not bound yet each
 * remembers the request. The kernel holds the socket's lock meanwhile.
 */
#include "caller.h"
#include "decide/sockopt.h"
#include "hook_maps.h"
#include "request.h"

/* Level and names of the kernel's options that need the caller's own memory: the one is written
 * back, of the others (iptables, arptables, ebtables) the kernel reads as much as they say. */
#define SOL_IPV4 0
#define SOL_IPV6 41
#define IPV6_FLOWLABEL_MGR 32
#define TABLES_FIRST 64
#define TABLES_LAST 129
#define TABLES6_LAST 65

const volatile bool own_errnos; /* a program can set an errno (5.18) */

/* ---------------------------------------------------------- options of others */

/* The kernel gives a copy of at most a page; with optlen 0 the call goes on with all of the
 * caller's memory. Where there is no need, optlen stays: another tool may have set it. */
static __always_inline int leave(struct bpf_sockopt *ctx)
{
	if (ctx->optlen > (long)ctx->optval_end - (long)ctx->optval)
		ctx->optlen = 0;
	return 1;
}

static __always_inline bool needs_own_memory(struct bpf_sockopt *ctx)
{
	__u32 name = ctx->optname;

	if (ctx->level == SOL_IPV6)
		return name == IPV6_FLOWLABEL_MGR || (name >= TABLES_FIRST && name <= TABLES6_LAST);
	return ctx->level == SOL_IPV4 && name >= TABLES_FIRST && name <= TABLES_LAST;
}

/* --------------------------------------------------------------------- answers */

/* Return the program's result for this errno, negative, or 0. */
static __always_inline int answer(int error)
{
	if (!own_errnos)
		return !error;
	bpf_set_retval(error);
	return 1;
}

/* Do the same for a getsockopt: there the kernel's errno stands where a program cannot set one. */
static __always_inline int answer_get(int error)
{
	if (own_errnos)
		bpf_set_retval(error);
	return 1;
}

/* Return whether that is what the kernel says of our level: nobody has answered. */
static __always_inline bool is_kernels_answer(int retval)
{
	return retval == -ENOPROTOOPT || retval == -EOPNOTSUPP;
}

/* Return whether something else has refused the call than a set of hooks that does not know the
 * socket. */
static __always_inline bool is_refused(void)
{
	int stands;

	if (!own_errnos)
		return false;
	stands = bpf_get_retval();
	return stands && stands != -ENOTCONN;
}

/* ------------------------------------------------------------------ setsockopt */

static __always_inline int set_option(struct bpf_sockopt *ctx, __u32 value)
{
	struct caller caller = { 0 };
	int error;

	/* -1: so says another set of hooks, which has looked at the size. */
	if (ctx->optlen != sizeof(value) && ctx->optlen != -1)
		return answer(-EINVAL);
	caller_find(&caller, ctx->sk);
	if (!caller.bound || caller.known) {
		error = caller.no_sockopt ? -EPERM : request_add(&caller, ctx, value);
	} else {
		if (ctx->optlen == -1)
			return 1;
		error = -ENOTCONN;
	}
	ctx->optlen = -1; /* the kernel does not ask further */
	return answer(error);
}

SEC("cgroup/setsockopt")
int hook_setsockopt(struct bpf_sockopt *ctx)
{
	__u32 *value = ctx->optval;
	int error;

	if (ctx->level != SOL_REUSEPORT_BPF) {
		/* -1: another tool has answered. */
		if (ctx->optlen > 0 && needs_own_memory(ctx))
			ctx->optlen = 0;
		return leave(ctx);
	}
	/* The copy has 16 bytes at least. */
	if (!caller_can_work(ctx->sk) || (void *)(value + 1) > ctx->optval_end)
		return leave(ctx);
	error = sockopt_check(ctx->optname, *value);
	if (error == -ENOPROTOOPT)
		return leave(ctx); /* so says the kernel too */
	if (is_refused())
		return 1;
	return error ? answer(error) : set_option(ctx, *value);
}

/* ------------------------------------------------------------------ getsockopt */

/* Before 5.18 the copy would go to the caller's memory although the call has failed. */
static __always_inline int leave_get(struct bpf_sockopt *ctx)
{
	if (!own_errnos && ctx->retval)
		ctx->optlen = 0;
	return leave(ctx);
}

static __always_inline void read_queues(struct reuseport_worker_sockopt *to,
					const struct caller *caller, struct bpf_sock *sk)
{
	struct sock *kernel_sock = caller->sk;
	struct inet_connection_sock *listener = (void *)kernel_sock;

	if (sk->protocol == PROTO_UDP) {
		to->queue = BPF_CORE_READ(kernel_sock, sk_backlog.rmem_alloc.counter);
	} else if (sk->state == BPF_TCP_LISTEN) {
		to->queue = BPF_CORE_READ(kernel_sock, sk_ack_backlog);
		to->half_open = BPF_CORE_READ(listener, icsk_accept_queue.qlen.counter);
	}
}

static __always_inline void read_state(struct reuseport_worker_sockopt *to,
				       const struct caller *caller, struct bpf_sock *sk)
{
	const struct member *member = caller->bound ? caller_member(caller) : NULL;
	const struct request *stored, none = { 0 };

	if (member) {
		sockopt_describe_member(to, member);
	} else {
		stored = bpf_sk_storage_get(&sockopt_storage, sk, NULL, 0);
		sockopt_describe_socket(to, stored ? stored : &none, caller->bound);
	}
	if (caller->bound)
		read_queues(to, caller, sk);
}

/* Fill in the first bytes, as many as the caller has room for; return their number. */
static __always_inline __u32 write_state(struct bpf_sockopt *ctx,
					 const struct reuseport_worker_sockopt *state)
{
	const __u8 *from = (const __u8 *)state;
	__u8 *to = ctx->optval, *end = ctx->optval_end;
	__u32 n = 0;

#pragma unroll
	for (__u32 i = 0; i < sizeof(*state); i++)
		if (to + i + 1 <= end) {
			to[i] = from[i];
			n = i + 1;
		}
	return n;
}

static __always_inline int get_state(struct bpf_sockopt *ctx)
{
	struct reuseport_worker_sockopt state = { 0 };
	struct caller caller = { 0 };

	caller_find(&caller, ctx->sk);
	if (caller.bound && !caller.known)
		return is_kernels_answer(ctx->retval) ? answer_get(-ENOTCONN) : 1;
	read_state(&state, &caller, ctx->sk);
	ctx->optlen = write_state(ctx, &state);
	ctx->retval = 0;
	return 1;
}

SEC("cgroup/getsockopt")
int hook_getsockopt(struct bpf_sockopt *ctx)
{
	if (ctx->level != SOL_REUSEPORT_BPF || ctx->optname != REUSEPORT_STATE ||
	    !caller_can_work(ctx->sk))
		return leave_get(ctx);
	if (!is_kernels_answer(ctx->retval) && ctx->retval && ctx->retval != -ENOTCONN)
		return 1;
	if (ctx->optval + SOCKOPT_STATE_MIN > ctx->optval_end)
		return answer_get(-EINVAL);
	return get_state(ctx);
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
