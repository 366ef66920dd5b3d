// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* The programs that are compared, and putting one of them onto a group. */
#include "programs.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "baseline.skel.h"
#include "steer.skel.h"

#ifndef SO_DETACH_REUSEPORT_BPF
#define SO_DETACH_REUSEPORT_BPF 68
#endif

static int failed(const char *what)
{
	int err = errno;

	fprintf(stderr, "bench: %s: %s\n", what, strerror(err));
	return -err;
}

static int silent(enum libbpf_print_level level, const char *format, va_list args)
{
	(void)level, (void)format, (void)args;
	return 0;
}

/* Ours, as the library sets it up before load. NULL if the kernel refuses. */
static struct steer_bpf *try_ours(bool plain_reads, enum bpf_attach_type type)
{
	struct steer_bpf *ours = steer_bpf__open();

	if (!ours)
		return NULL;
	ours->rodata->slots = BENCH_SLOTS;
	ours->rodata->plain_reads = plain_reads;
	ours->rodata->migrate = type == BPF_SK_REUSEPORT_SELECT_OR_MIGRATE;
	bpf_map__set_max_entries(ours->maps.sockets, BENCH_SLOTS);
	bpf_map__set_max_entries(ours->maps.workers, BENCH_SLOTS);
	bpf_map__set_max_entries(ours->maps.counters, BENCH_SLOTS);
	bpf_program__set_expected_attach_type(ours->progs.steer_hash, type);
	bpf_program__set_expected_attach_type(ours->progs.steer_linux39, type);
	if (!steer_bpf__load(ours))
		return ours;
	steer_bpf__destroy(ours);
	return NULL;
}

static struct steer_bpf *load_ours(bool plain_reads)
{
	libbpf_print_fn_t print = libbpf_set_print(silent);
	struct steer_bpf *ours = try_ours(plain_reads, BPF_SK_REUSEPORT_SELECT_OR_MIGRATE);

	if (!ours)
		ours = try_ours(plain_reads, BPF_SK_REUSEPORT_SELECT);
	libbpf_set_print(print);
	return ours;
}

static struct baseline_bpf *load_baseline(unsigned int members)
{
	struct baseline_bpf *baseline = baseline_bpf__open();

	if (!baseline)
		return NULL;
	baseline->rodata->members = members;
	bpf_map__set_max_entries(baseline->maps.sockets, members);
	if (!baseline_bpf__load(baseline))
		return baseline;
	baseline_bpf__destroy(baseline);
	return NULL;
}

static void add(struct programs *programs, const char *name, const char *what,
		struct bpf_program *program, struct bpf_map *array)
{
	programs->contenders[programs->n++] = (struct contender){
		.name = name,
		.what = what,
		.program = bpf_program__fd(program),
		.array = bpf_map__fd(array),
	};
}

int programs__load(struct programs *programs, unsigned int members)
{
	struct baseline_bpf *baseline;
	struct steer_bpf *ours;

	*programs = (struct programs){ .baseline = load_baseline(members) };
	if (!programs->baseline)
		return failed("loading the baseline");
	programs->plain = load_ours(true);
	programs->probe = load_ours(false);
	if (!programs->probe) {
		programs__free(programs);
		return failed("loading the steering program");
	}
	baseline = programs->baseline;
	add(programs, "empty", "returns SK_PASS", baseline->progs.empty, baseline->maps.sockets);
	add(programs, "bare select", "select from the array, nothing counted",
	    baseline->progs.bare_select, baseline->maps.sockets);
	ours = programs->plain;
	if (ours) {
		add(programs, "steer_hash", "ours, every counter on", ours->progs.steer_hash,
		    ours->maps.sockets);
		add(programs, "steer_linux39", "ours, every counter on", ours->progs.steer_linux39,
		    ours->maps.sockets);
	}
	ours = programs->probe;
	add(programs, "steer_hash, probe reads", "ours as on kernels before 6.2",
	    ours->progs.steer_hash, ours->maps.sockets);
	return 0;
}

void programs__free(struct programs *programs)
{
	baseline_bpf__destroy(programs->baseline);
	steer_bpf__destroy(programs->plain);
	steer_bpf__destroy(programs->probe);
	*programs = (struct programs){ 0 };
}

static void empty_array(int array, size_t n)
{
	for (__u32 slot = 0; slot < n; slot++)
		bpf_map_delete_elem(array, &slot);
}

static int fill_array(int array, const int *sockets, size_t n)
{
	for (__u32 slot = 0; slot < n; slot++) {
		__u64 fd = (__u64)sockets[slot];

		if (bpf_map_update_elem(array, &slot, &fd, BPF_NOEXIST))
			return failed("a socket into the array");
	}
	return 0;
}

int programs__take_off(int socket)
{
	int unused = 0; /* but without it the kernel says EINVAL */

	if (setsockopt(socket, SOL_SOCKET, SO_DETACH_REUSEPORT_BPF, &unused, sizeof(unused)))
		return failed("detaching the program");
	return 0;
}

int programs__put(const struct programs *programs, size_t contender, const int *sockets, size_t n)
{
	const struct contender *it = &programs->contenders[contender];
	int err;

	for (size_t i = 0; i < programs->n; i++)
		empty_array(programs->contenders[i].array, n);
	err = fill_array(it->array, sockets, n);
	if (err)
		return err;
	if (setsockopt(sockets[0], SOL_SOCKET, SO_ATTACH_REUSEPORT_EBPF, &it->program,
		       sizeof(it->program)))
		return failed("attaching the program");
	return 0;
}
