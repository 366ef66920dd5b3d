// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* Queues: what waits at the workers of a TCP attachment. */
#include <bpf/bpf.h>
#include <errno.h>
#include <string.h>

#include "error.h"
#include "queues.h"
#include "queues.skel.h"
#include "quiet.h"

int queues_open(struct queues_bpf **out, int sockets_map, struct reuseport_error *err)
{
	libbpf_print_fn_t before = quiet_begin();
	struct queues_bpf *queues = queues_bpf__open();
	int ret = queues ? 0 : -errno;

	if (!ret)
		ret = bpf_map__reuse_fd(queues->maps.sockets, sockets_map);
	if (!ret)
		queues->rodata->plain_reads = false;
	if (!ret)
		ret = queues_bpf__load(queues);
	quiet_end(before);
	if (ret) {
		queues_bpf__destroy(queues);
		return fail(err, -ret, "cannot read the workers' queues: %s", strerror(-ret));
	}
	*out = queues;
	return 0;
}

int queues_read(struct queues_bpf *queues, unsigned int slot, struct waiting *waiting)
{
	__u64 args[1] = { slot };
	LIBBPF_OPTS(bpf_test_run_opts, opts, .ctx_in = args, .ctx_size_in = sizeof(args));

	if (bpf_prog_test_run_opts(bpf_program__fd(queues->progs.read_queues), &opts))
		return -errno;
	*waiting = queues->bss->waiting;
	return 0;
}

void queues_close(struct queues_bpf *queues)
{
	queues_bpf__destroy(queues);
}
