// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Queue depth: read what waits at the socket in one slot. The program is attached to
 * nothing; the library runs it by BPF_PROG_TEST_RUN. sock_diag shows the accept queue
 * too, but not how many handshakes a listener has begun.
 */
#include "kernel.h"
#include "abi.h"
#include "sock_reuseport.h"

struct {
	__uint(type, BPF_MAP_TYPE_REUSEPORT_SOCKARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u64);
} sockets SEC(".maps"); /* the attachment's map */

struct queue_depth depth;

SEC("raw_tp")
int queue_depth_get(__u64 *args)
{
	__u64 slot = args[0];
	struct inet_connection_sock *sk =
		(void *)kernel_word(first_entry_of(&sockets) + slot * sizeof(void *));

	depth.cookie = BPF_CORE_READ((struct sock *)sk, __sk_common.skc_cookie.counter);
	depth.queue = BPF_CORE_READ((struct sock *)sk, sk_ack_backlog);
	depth.half_open = BPF_CORE_READ(sk, icsk_accept_queue.qlen.counter);
	return 0;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
