// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Slot sockets: read, of the sockets in some slots, SO_INCOMING_CPU and what waits at them. The
 * program is attached to nothing; the library runs it by BPF_PROG_TEST_RUN. One program is for all
 * attachments of a process, which names the array by its descriptor. It takes no lock and no
 * reference, so no owner of a socket can keep it waiting.
 */
#include "kernel.h"
#include "abi.h"

struct slot_socket found[SLOT_SOCKETS_MAX];

/* Return the array that this process has open there. */
static __always_inline struct reuseport_array *array_of(__u64 fd)
{
	struct task_struct *task = (void *)bpf_get_current_task();
	struct fdtable *table = BPF_CORE_READ(task, files, fdt);
	struct file **files = BPF_CORE_READ(table, fd), *file = NULL;

	if (fd < BPF_CORE_READ(table, max_fds))
		bpf_probe_read_kernel(&file, sizeof(file), files + fd);
	return BPF_CORE_READ(file, private_data);
}

static __always_inline struct sock *socket_at(struct reuseport_array *array, __u64 slot)
{
	struct sock *sk = NULL;

	bpf_probe_read_kernel(&sk, sizeof(sk),
			      (void *)array + bpf_core_field_offset(struct reuseport_array, ptrs) +
				      slot * sizeof(sk));
	return sk;
}

/* Return a word that changes when others wait at the socket than before, 0 if none does. An epoll
 * set waits all the time, a blocked call only meanwhile. */
static __always_inline __u64 waiters_of(struct sock *sk)
{
	struct socket_wq *wq = BPF_CORE_READ(sk, sk_wq);
	__u64 first = (__u64)BPF_CORE_READ(wq, wait.head.next);
	__u64 last = (__u64)BPF_CORE_READ(wq, wait.head.prev);

	if (!wq || first == (__u64)wq + bpf_core_field_offset(struct socket_wq, wait.head))
		return 0;
	return first ^ (last << 1 | last >> 63);
}

SEC("raw_tp")
int slot_sockets_look(__u64 *args)
{
	struct reuseport_array *array = array_of(args[0]);
	__u64 slot = args[1], n = args[2];

	for (__u32 i = 0; i < SLOT_SOCKETS_MAX && i < n; i++) {
		struct sock *sk = socket_at(array, slot + i);

		found[i].cpu = sk ? BPF_CORE_READ(sk, __sk_common.skc_incoming_cpu) : -1;
		found[i].waiters = sk ? waiters_of(sk) : 0;
	}
	return 0;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
