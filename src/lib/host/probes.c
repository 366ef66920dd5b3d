// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* Probes: each one tests one feature of the kernel in the smallest way. */
#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <errno.h>
#include <linux/bpf.h>
#include <stddef.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "host/probe_program.h"
#include "host/probes.h"
#include "host/reuseport_sockopt.h"

#ifndef SO_NETNS_COOKIE
#define SO_NETNS_COOKIE 71
#endif

static int load_steering(enum bpf_attach_type attach_type, const struct bpf_insn *insns, size_t n)
{
	return probe_program_close(
		probe_program_load(BPF_PROG_TYPE_SK_REUSEPORT, attach_type, 0, insns, n));
}

/* ------------------------------------------------------- the steering program */

int probe_sk_reuseport(const struct btf *btf)
{
	int map = bpf_map_create(BPF_MAP_TYPE_REUSEPORT_SOCKARRAY, "reuseport_probe", 4, 8, 1,
				 NULL);
	int ret;

	(void)btf;
	if (map < 0)
		return -errno;

	const struct bpf_insn insns[] = {
		STORE_WORD(BPF_REG_10, -4, 0),
		MAP_FD(BPF_REG_2, map),
		COPY(BPF_REG_3, BPF_REG_10),
		ADD(BPF_REG_3, -4),
		MOVE(BPF_REG_4, 0),
		HELPER(BPF_FUNC_sk_select_reuseport),
		RETURN(1),
	};

	ret = load_steering(0, CALL_OF(insns));
	close(map);
	return ret;
}

int probe_probe_reads(const struct btf *btf)
{
	static const struct bpf_insn insns[] = {
		COPY(BPF_REG_1, BPF_REG_10),
		ADD(BPF_REG_1, -8),
		MOVE(BPF_REG_2, 8),
		MOVE(BPF_REG_3, 0),
		HELPER(BPF_FUNC_probe_read_kernel),
		RETURN(1),
	};

	(void)btf;
	return load_steering(0, CALL_OF(insns));
}

/* The attach type alone is no test: kernels that do not know it, such as Debian's 5.10,
 * ignore it. They refuse to read this member of the context. */
int probe_migration(const struct btf *btf)
{
	static const struct bpf_insn insns[] = {
		LOAD(BPF_REG_0, BPF_REG_1, offsetof(struct sk_reuseport_md, migrating_sk)),
		RETURN(1),
	};

	(void)btf;
	return load_steering(BPF_SK_REUSEPORT_SELECT_OR_MIGRATE, CALL_OF(insns));
}

static int find_btf_id(const struct btf *btf, const char *name, unsigned int kind)
{
	int id = btf ? btf__find_by_name_kind(btf, name, kind) : -ENOENT;

	return id > 0 ? id : -ENOENT;
}

int probe_plain_reads(const struct btf *btf)
{
	int context = find_btf_id(btf, "bpf_cast_to_kern_ctx", BTF_KIND_FUNC);
	int cast = find_btf_id(btf, "bpf_rdonly_cast", BTF_KIND_FUNC);
	int sock = find_btf_id(btf, "sock", BTF_KIND_STRUCT);
	const struct bpf_insn insns[] = {
		KFUNC(context), MOVE(BPF_REG_1, 0), MOVE(BPF_REG_2, sock), KFUNC(cast), RETURN(1),
	};

	return context < 0 || cast < 0 || sock < 0 ? -ENOENT : load_steering(0, CALL_OF(insns));
}

int probe_ticks(const struct btf *btf)
{
	static const struct bpf_insn insns[] = { HELPER(BPF_FUNC_jiffies64), RETURN(1) };

	(void)btf;
	return load_steering(0, CALL_OF(insns));
}

/* The kernel that stopped counting it against RLIMIT_MEMLOCK has this helper since. libbpf asks
 * in the same way (probe_memcg_account). */
int probe_memcg(const struct btf *btf)
{
	static const struct bpf_insn insns[] = { HELPER(BPF_FUNC_ktime_get_coarse_ns), RETURN(1) };

	(void)btf;
	return load_steering(0, CALL_OF(insns));
}

int probe_mmap(const struct btf *btf)
{
	LIBBPF_OPTS(bpf_map_create_opts, opts, .map_flags = BPF_F_MMAPABLE);
	int map = bpf_map_create(BPF_MAP_TYPE_ARRAY, "reuseport_probe", 4, 8, 1, &opts), ret = 0;
	size_t page = sysconf(_SC_PAGESIZE);
	void *at;

	(void)btf;
	if (map < 0)
		return -errno;
	at = mmap(NULL, page, PROT_READ | PROT_WRITE, MAP_SHARED, map, 0);
	if (at == MAP_FAILED)
		ret = -errno;
	else
		munmap(at, page);
	close(map);
	return ret;
}

/* ------------------------------------------------------- sockets and processes */

int probe_pidfd_getfd(const struct btf *btf)
{
	int pidfd = syscall(SYS_pidfd_open, getpid(), 0), fd;

	(void)btf;
	if (pidfd < 0)
		return -errno;
	fd = syscall(SYS_pidfd_getfd, pidfd, pidfd, 0);
	if (fd < 0)
		fd = -errno;
	close(pidfd);
	return probe_program_close(fd);
}

int probe_netns_cookie(const struct btf *btf)
{
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0), ret;
	unsigned long long cookie;
	socklen_t len = sizeof(cookie);

	(void)btf;
	if (fd < 0)
		return -errno;
	ret = getsockopt(fd, SOL_SOCKET, SO_NETNS_COOKIE, &cookie, &len) ? -errno : 0;
	close(fd);
	return ret;
}

/* Detach from a socket without a program: -ENOENT means that the option is known. */
int probe_detach(const struct btf *btf)
{
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0), one = 1, ret;

	(void)btf;
	if (fd < 0)
		return -errno;
	if (setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &one, sizeof(one)))
		ret = -errno;
	else
		ret = sockopt_set_program(fd, -1);
	close(fd);
	return ret == -ENOENT ? 0 : ret;
}

/* ------------------------------------------------------------------- events */

int probe_ring_buffer(const struct btf *btf)
{
	int ring = bpf_map_create(BPF_MAP_TYPE_RINGBUF, "reuseport_probe", 0, 0,
				  sysconf(_SC_PAGESIZE), NULL);
	LIBBPF_OPTS(bpf_map_create_opts, opts, .inner_map_fd = ring);
	int array;

	(void)btf;
	if (ring < 0)
		return -errno;
	array = bpf_map_create(BPF_MAP_TYPE_ARRAY_OF_MAPS, "reuseport_probe", 4, 4, 1, &opts);
	if (array < 0)
		array = -errno;
	close(ring);
	return probe_program_close(array);
}

/* ------------------------------------------------- reading the kernel's state */

static int probe_iterator(const struct btf *btf, const char *function)
{
	static const struct bpf_insn insns[] = { RETURN(0) };
	int id = find_btf_id(btf, function, BTF_KIND_FUNC), prog, link, iter;

	if (id < 0)
		return id;
	prog = probe_program_load(BPF_PROG_TYPE_TRACING, BPF_TRACE_ITER, id, CALL_OF(insns));
	if (prog < 0)
		return prog;
	link = bpf_link_create(prog, 0, BPF_TRACE_ITER, NULL);
	if (link < 0)
		link = -errno;
	close(prog);
	if (link < 0)
		return link;
	iter = bpf_iter_create(link);
	if (iter < 0)
		iter = -errno;
	close(link);
	return probe_program_close(iter);
}

int probe_iterators(const struct btf *btf)
{
	int ret = probe_iterator(btf, "bpf_iter_tcp");

	return ret ? ret : probe_iterator(btf, "bpf_iter_udp");
}

int probe_test_run(const struct btf *btf)
{
	static const struct bpf_insn insns[] = { RETURN(0) };
	__u64 args[1] = { 0 };
	LIBBPF_OPTS(bpf_test_run_opts, opts, .ctx_in = args, .ctx_size_in = sizeof(args));
	int prog = probe_program_load(BPF_PROG_TYPE_RAW_TRACEPOINT, 0, 0, CALL_OF(insns)), ret;

	(void)btf;
	if (prog < 0)
		return prog;
	ret = bpf_prog_test_run_opts(prog, &opts) ? -errno : 0;
	close(prog);
	return ret;
}

/*
 * iter/udp walks the chains by address before those by port since it has a state of its
 * own (commit "bpf: udp: Implement batching for sockets iterator").
 */
int probe_udp_iter_order(const struct btf *btf)
{
	int id = find_btf_id(btf, "bpf_udp_iter_state", BTF_KIND_STRUCT);

	return id < 0 ? id : 0;
}

/* The table of connected sockets by 4-tuple came with the commit "ipv4/udp: Add 4-tuple
 * hash for connected socket". */
int probe_udp_hash4(const struct btf *btf)
{
	int id = find_btf_id(btf, "udp_table", BTF_KIND_STRUCT);
	const struct btf_type *type = id > 0 ? btf__type_by_id(btf, id) : NULL;
	/* Its type depends on libbpf's version. */
	__u32 n = type ? btf_vlen(type) : 0;

	for (__u32 i = 0; i < n; i++)
		if (!strcmp(btf__name_by_offset(btf, btf_members(type)[i].name_off), "hash4"))
			return 0;
	return -ENOENT;
}
