// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Socket events: report to the keeper of one attachment, through a ring buffer, that a
 * socket on its port joins or leaves. TCP sockets by the change to LISTEN and by the
 * end of a socket without a peer, UDP sockets by bind and by the last close.
 */
#include "kernel.h"
#include "abi.h"

#define IPPROTO_UDP 17
#define TCP_LISTEN 10

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 256 * 1024);
} events SEC(".maps");

/* The sockets to report on; set before load. */
const volatile __u32 want_port;
const volatile __u64 want_netns_cookie; /* 0: any namespace */

/* Number of events that found the ring buffer full. The keeper then looks itself. */
__u64 lost;

static __always_inline void report_event(__u32 kind, __u64 cookie, struct sock *sk)
{
	struct task_struct *task = (struct task_struct *)bpf_get_current_task();
	struct socket_event event = {
		.cookie = cookie,
		.kind = kind,
		.pid = BPF_CORE_READ(task, tgid),
		.inode = BPF_CORE_READ(sk, sk_socket, file, f_inode, i_ino),
	};

	if (bpf_ringbuf_output(&events, &event, sizeof(event), 0))
		__sync_fetch_and_add(&lost, 1);
}

static __always_inline bool wanted_tcp(struct sock *sk)
{
	return sk->__sk_common.skc_num == want_port &&
	       (!want_netns_cookie || sk->__sk_common.skc_net.net->net_cookie == want_netns_cookie);
}

/*
 * Report a worker that joins, by the change to LISTEN, and one that leaves by
 * shutdown() and may listen again. A close() is reported by event_destroy instead:
 * close() marks the listener as shut down shortly before this point, and stops it
 * shortly after. A handshake that ends in between gets a child that is already shut
 * down, and work done here would make that time longer.
 */
SEC("tp_btf/inet_sock_set_state")
int BPF_PROG(event_state, struct sock *sk, int old_state, int new_state)
{
	if (old_state != TCP_LISTEN && new_state != TCP_LISTEN)
		return 0;
	if (!wanted_tcp(sk))
		return 0;
	if (new_state == TCP_LISTEN)
		report_event(SOCKET_EVENT_JOIN, bpf_get_socket_cookie(sk), sk);
	else if (!sk->sk_shutdown)
		report_event(SOCKET_EVENT_LEAVE, bpf_get_socket_cookie(sk), sk);
	return 0;
}

/* Report the last step of close(). A socket without a peer has listened, or was never
 * used. */
SEC("tp_btf/tcp_destroy_sock")
int BPF_PROG(event_destroy, struct sock *sk)
{
	if (!sk->__sk_common.skc_daddr && wanted_tcp(sk))
		report_event(SOCKET_EVENT_LEAVE, bpf_get_socket_cookie(sk), sk);
	return 0;
}

/*
 * Return whether to report the UDP socket. The verifier does not allow src_port at
 * release, so the port is read from the kernel's socket, which is the context of this
 * program type.
 */
static __always_inline bool wanted_udp(struct bpf_sock *sk)
{
	if (sk->protocol != IPPROTO_UDP)
		return false;
	if (BPF_CORE_READ((struct sock *)sk, __sk_common.skc_num) != want_port)
		return false;
	return !want_netns_cookie || bpf_get_netns_cookie(sk) == want_netns_cookie;
}

SEC("cgroup/post_bind4")
int event_bind4(struct bpf_sock *sk)
{
	if (wanted_udp(sk))
		report_event(SOCKET_EVENT_JOIN, bpf_get_socket_cookie(sk), (struct sock *)sk);
	return 1;
}

SEC("cgroup/post_bind6")
int event_bind6(struct bpf_sock *sk)
{
	if (wanted_udp(sk))
		report_event(SOCKET_EVENT_JOIN, bpf_get_socket_cookie(sk), (struct sock *)sk);
	return 1;
}

SEC("cgroup/sock_release")
int event_release(struct bpf_sock *sk)
{
	if (wanted_udp(sk))
		report_event(SOCKET_EVENT_LEAVE, bpf_get_socket_cookie(sk), (struct sock *)sk);
	return 1;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
