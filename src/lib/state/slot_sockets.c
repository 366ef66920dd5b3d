// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* Slot sockets: read, of the sockets in the slots of an attachment, SO_INCOMING_CPU and what waits
 * at them. */
#include <bpf/bpf.h>
#include <errno.h>
#include <pthread.h>
#include <string.h>
#include <unistd.h>

#include "abi.h"
#include "clock.h"
#include "host/features.h"
#include "host/libbpf_quiet.h"
#include "slot_sockets.skel.h"
#include "state/slot_sockets.h"

#define RETRY_NS (30000 * CLOCK_MS) /* where it could not be loaded */

/* The program of this process. A child of fork() loads its own: what it writes is shared memory. */
static struct {
	struct slot_sockets_bpf *skeleton; /* NULL: none */
	struct slot_sockets_bpf *parents;  /* what a parent had loaded, left alone */
	pid_t pid;                         /* that has loaded it */
	unsigned int users;
	uint64_t failed_at; /* when loading failed last; 0: never */
	int code;           /* -errno, then */
} reader;

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;

void slot_sockets_hold(void)
{
	pthread_mutex_lock(&mutex);
	reader.users++;
	pthread_mutex_unlock(&mutex);
}

void slot_sockets_drop(void)
{
	pthread_mutex_lock(&mutex);
	reader.users--;
	/* That of a parent is left alone: its descriptors may be closed here, and be others'. */
	if (!reader.users && reader.skeleton && reader.pid == getpid()) {
		slot_sockets_bpf__destroy(reader.skeleton);
		reader.skeleton = NULL;
	}
	pthread_mutex_unlock(&mutex);
}

static int slot_sockets_load(void)
{
	int ret = features_allow(FEATURE_TEST_RUN, "read the CPUs of sockets", NULL);

	if (ret)
		return ret;
	if (reader.skeleton)
		reader.parents = reader.skeleton;
	libbpf_quiet_begin();
	reader.skeleton = slot_sockets_bpf__open_and_load();
	ret = reader.skeleton ? 0 : -errno;
	libbpf_quiet_end();
	reader.pid = getpid();
	return ret;
}

static int slot_sockets_open(void)
{
	uint64_t now = clock_ns(CLOCK_MONOTONIC);

	if (reader.skeleton && reader.pid == getpid())
		return 0;
	if (reader.failed_at && now - reader.failed_at < RETRY_NS)
		return reader.code;
	reader.code = slot_sockets_load();
	reader.failed_at = reader.code ? now : 0;
	return reader.code;
}

/* Read some slots, SLOT_SOCKETS_MAX at most. */
static int slot_sockets_run(int sockets_map, struct slot_socket *list, unsigned int first,
			    unsigned int n)
{
	__u64 args[3] = { sockets_map, first, n };
	LIBBPF_OPTS(bpf_test_run_opts, opts, .ctx_in = args, .ctx_size_in = sizeof(args));

	if (bpf_prog_test_run_opts(bpf_program__fd(reader.skeleton->progs.slot_sockets_look),
				   &opts))
		return -errno;
	memcpy(list, reader.skeleton->bss->found, n * sizeof(*list));
	return 0;
}

int slot_sockets_read(int sockets_map, struct slot_socket *list, unsigned int n)
{
	int ret;

	pthread_mutex_lock(&mutex);
	ret = slot_sockets_open();
	for (unsigned int first = 0; !ret && first < n; first += SLOT_SOCKETS_MAX)
		ret = slot_sockets_run(sockets_map, list + first, first,
				       n - first < SLOT_SOCKETS_MAX ? n - first : SLOT_SOCKETS_MAX);
	pthread_mutex_unlock(&mutex);
	for (unsigned int i = 0; ret && i < n; i++)
		list[i] = (struct slot_socket){ .cpu = -1 };
	return ret;
}
