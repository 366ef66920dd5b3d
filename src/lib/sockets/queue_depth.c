// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* Queue depth: read what waits at the workers of a TCP attachment. */
#include <bpf/bpf.h>
#include <errno.h>
#include <string.h>

#include "abi.h"
#include "error.h"
#include "host/features.h"
#include "host/libbpf_quiet.h"
#include "queue_depth.skel.h"
#include "sockets/queue_depth.h"

static int load_queue_depth(struct queue_depth_bpf *queues, int sockets_map)
{
	int ret = bpf_map__reuse_fd(queues->maps.sockets, sockets_map);

	queues->rodata->plain_reads = false;
	return ret ? ret : queue_depth_bpf__load(queues);
}

int queue_depth_open(struct queue_depth_bpf **out, int sockets_map, struct reuseport_error *err)
{
	static const char what[] = "count the handshakes that workers have begun";
	int ret = features_allow(FEATURE_TEST_RUN, what, err);
	struct queue_depth_bpf *queues;

	if (ret)
		return ret;
	libbpf_quiet_begin();
	queues = queue_depth_bpf__open();
	ret = queues ? load_queue_depth(queues, sockets_map) : -errno;
	libbpf_quiet_end();
	if (ret) {
		queue_depth_bpf__destroy(queues);
		return features_blame(FEATURE_TEST_RUN, -ret, what, err);
	}
	*out = queues;
	return 0;
}

int queue_depth_read(struct queue_depth_bpf *queues, unsigned int slot, struct queue_depth *depth)
{
	__u64 args[1] = { slot };
	LIBBPF_OPTS(bpf_test_run_opts, opts, .ctx_in = args, .ctx_size_in = sizeof(args));

	if (bpf_prog_test_run_opts(bpf_program__fd(queues->progs.queue_depth_get), &opts))
		return -errno;
	*depth = queues->bss->depth;
	return 0;
}

void queue_depth_close(struct queue_depth_bpf *queues)
{
	queue_depth_bpf__destroy(queues);
}
