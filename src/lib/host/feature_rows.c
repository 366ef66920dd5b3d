// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* Feature rows: the features of the kernel that this toolkit uses, in words and with their probes.
 */
#include <stddef.h>

#include "host/caps.h"
#include "host/feature_rows.h"
#include "host/probes.h"

static const struct feature_row rows[FEATURES] = {
	[FEATURE_BTF] = { "btf", "5.4",
			  "BTF (CONFIG_DEBUG_INFO_BTF, the file "
			  "/sys/kernel/btf/vmlinux)",
			  "nothing is steered", 0, NULL },
	[FEATURE_SK_REUSEPORT] = { "sk-reuseport", "4.19",
				   "BPF_PROG_TYPE_SK_REUSEPORT with "
				   "REUSEPORT_SOCKARRAY (CONFIG_BPF_SYSCALL)",
				   "nothing is steered", CAP_TO_LOAD, probe_sk_reuseport },
	[FEATURE_PROBE_READS] = { "probe-reads", "5.5", "bpf_probe_read_kernel()",
				  "nothing is steered", CAP_TO_LOAD | CAP_TO_READ,
				  probe_probe_reads },
	[FEATURE_PIDFD_GETFD] = { "pidfd-getfd", "5.6",
				  "pidfd_getfd(), to reach the sockets of "
				  "running servers",
				  "nothing is steered", 0, probe_pidfd_getfd },
	[FEATURE_MMAP] = { "mmap", "5.5", "mmapable maps (BPF_F_MMAPABLE)",
			   "tables are read and written by system calls", CAP_TO_LOAD, probe_mmap },
	[FEATURE_MIGRATION] = { "migration", "5.14", "the select-or-migrate attach type",
				"a listener that closes resets the connections in its queue: drain it first",
				CAP_TO_LOAD, probe_migration },
	[FEATURE_PLAIN_READS] = { "plain-reads", "6.2", "bpf_rdonly_cast()",
				  "the program reads the kernel's sockets by probe reads, which cost more",
				  CAP_TO_LOAD | CAP_TO_READ, probe_plain_reads, true },
	[FEATURE_RING_BUFFER] = { "ring-buffer", "5.8", "BPF ring buffers in arrays of maps",
				  "joins and leaves are found by polling", CAP_TO_LOAD,
				  probe_ring_buffer },
	[FEATURE_CGROUP2] = { "cgroup2", "4.5",
			      "a cgroup2 mount (mount -t cgroup2 none "
			      "/sys/fs/cgroup)",
			      "joins and leaves are found by polling", 0, probe_cgroup2 },
	[FEATURE_BIND_EVENTS] = { "bind-events", "5.9",
				  "cgroup programs at binds that stay by a pinned link "
				  "(post_bind4, post_bind6)",
				  "joins and leaves are found by polling",
				  CAP_TO_LOAD | CAP_TO_ATTACH | CAP_TO_READ, probe_bind_events },
	[FEATURE_SOCKOPT] = { "socket-options", "5.9",
			      "cgroup programs at socket options, with socket storage (setsockopt, "
			      "getsockopt)",
			      "workers cannot control themselves by socket options",
			      CAP_TO_LOAD | CAP_TO_ATTACH | CAP_TO_READ, probe_sockopt },
	[FEATURE_ITERATORS] = { "iterators", "5.9", "socket iterators (iter/tcp, iter/udp)",
				"another tool's program on a group is not visible; groups are listed by sock_diag",
				CAP_TO_LOAD | CAP_TO_READ, probe_iterators, true },
	[FEATURE_TEST_RUN] = { "test-run", "5.10", "BPF_PROG_TEST_RUN of raw tracepoints",
			       "the handshakes that have begun cannot be counted; to wait for a "
			       "drained TCP worker is refused; SO_INCOMING_CPU of workers is not seen",
			       CAP_TO_LOAD | CAP_TO_READ, probe_test_run },
	[FEATURE_TICKS] = { "ticks", "5.5", "bpf_jiffies64()", "sticky flows are refused",
			    CAP_TO_LOAD, probe_ticks },
	[FEATURE_NETNS_COOKIE] = { "netns-cookie", "5.14", "SO_NETNS_COOKIE",
				   "a network namespace is identified by its inode alone, which the kernel may "
				   "reuse; binds to the port are told of all namespaces",
				   0, probe_netns_cookie },
	[FEATURE_DETACH] = { "detach", "5.3", "SO_DETACH_REUSEPORT_BPF", "detach is refused", 0,
			     probe_detach },
	[FEATURE_UDP_ITER_ORDER] = { "udp-iter-order", "6.6",
				     "iter/udp in the order of the "
				     "lookup by address",
				     "explain guesses the order of the UDP sockets on one address",
				     0, probe_udp_iter_order, true },
	[FEATURE_UDP_HASH4] = { "udp-hash4", "6.13",
				"a table of connected UDP sockets by both "
				"addresses and ports",
				"explain follows the lookup without that table", 0, probe_udp_hash4,
				true },
	[FEATURE_MEMCG] = { "memcg", "5.11",
			    "BPF memory that counts against the cgroup, not against RLIMIT_MEMLOCK",
			    "maps and programs count against RLIMIT_MEMLOCK", CAP_TO_LOAD,
			    probe_memcg },
};

const struct feature_row *feature_row(enum feature feature)
{
	return &rows[feature];
}
