// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* Probes of cgroup programs: what the hooks need. */
#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <errno.h>
#include <linux/bpf.h>
#include <stddef.h>
#include <unistd.h>

#include "host/cgroup.h"
#include "host/probe_program.h"
#include "host/probes.h"

int probe_cgroup2(const struct btf *btf)
{
	(void)btf;
	return probe_program_close(cgroup_open_root());
}

/* Attach a program, as the hooks do, for a moment. That others have taken all places says
 * nothing of the kernel. */
static int probe_cgroup_program(int cgroup, enum bpf_attach_type type)
{
	static const struct bpf_insn insns[] = {
		COPY(BPF_REG_6, BPF_REG_1),
		HELPER(BPF_FUNC_get_current_task),
		COPY(BPF_REG_1, BPF_REG_6),
		HELPER(BPF_FUNC_get_netns_cookie),
		RETURN(1),
	};
	int prog = probe_program_load(BPF_PROG_TYPE_CGROUP_SOCK, type, 0, CALL_OF(insns)), link;

	if (prog < 0)
		return prog;
	link = bpf_link_create(prog, cgroup, type, NULL);
	if (link < 0)
		link = errno == E2BIG && cgroup_is_full(cgroup, type) ? 0 : -errno;
	else
		close(link);
	close(prog);
	return link < 0 ? link : 0;
}

int probe_bind_events(const struct btf *btf)
{
	int cgroup = cgroup_open_root(), ret;

	(void)btf;
	if (cgroup < 0)
		return cgroup;
	ret = probe_cgroup_program(cgroup, BPF_CGROUP_INET4_POST_BIND);
	if (!ret)
		ret = probe_cgroup_program(cgroup, BPF_CGROUP_INET6_POST_BIND);
	close(cgroup);
	return ret;
}

/* ------------------------------------------------------------- socket options */

/* Make a map of socket storage; return its fd or -errno. It takes BTF. */
static int probe_make_storage(void)
{
	LIBBPF_OPTS(bpf_map_create_opts, opts, .map_flags = BPF_F_NO_PREALLOC);
	struct btf *types = btf__new_empty();
	int id = types ? btf__add_int(types, "int", sizeof(int), BTF_INT_SIGNED) : -ENOMEM, map;

	if (id >= 0 && btf__load_into_kernel(types))
		id = -errno;
	if (id < 0) {
		btf__free(types);
		return id;
	}
	opts.btf_fd = btf__fd(types);
	opts.btf_key_type_id = id;
	opts.btf_value_type_id = id;
	map = bpf_map_create(BPF_MAP_TYPE_SK_STORAGE, "reuseport_probe", sizeof(int), sizeof(int),
			     0, &opts);
	if (map < 0)
		map = -errno;
	btf__free(types);
	return map;
}

int probe_sockopt(const struct btf *btf)
{
	int map = probe_make_storage(), ret;
	const struct bpf_insn insns[] = {
		LOAD(BPF_REG_2, BPF_REG_1, offsetof(struct bpf_sockopt, sk)),
		MAP_FD(BPF_REG_1, map),
		MOVE(BPF_REG_3, 0),
		MOVE(BPF_REG_4, BPF_SK_STORAGE_GET_F_CREATE),
		HELPER(BPF_FUNC_sk_storage_get),
		COPY(BPF_REG_1, BPF_REG_10),
		ADD(BPF_REG_1, -8),
		MOVE(BPF_REG_2, 8),
		MOVE(BPF_REG_3, 0),
		HELPER(BPF_FUNC_probe_read_kernel),
		RETURN(1),
	};

	(void)btf;
	if (map < 0)
		return map;
	ret = probe_program_close(probe_program_load(BPF_PROG_TYPE_CGROUP_SOCKOPT,
						     BPF_CGROUP_SETSOCKOPT, 0, CALL_OF(insns)));
	if (!ret)
		ret = probe_program_close(probe_program_load(
			BPF_PROG_TYPE_CGROUP_SOCKOPT, BPF_CGROUP_GETSOCKOPT, 0, CALL_OF(insns)));
	close(map);
	return ret;
}
