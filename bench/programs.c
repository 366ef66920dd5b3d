// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* Loads what is compared, and puts one of it onto a group. */
#include "programs.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "baseline.skel.h"
#include "state/flow_table.h"

#ifndef SO_DETACH_REUSEPORT_BPF
#define SO_DETACH_REUSEPORT_BPF 68
#endif

static int failed(const char *what)
{
	int err = errno;

	fprintf(stderr, "bench: %s: %s\n", what, strerror(err));
	return -err;
}

static struct baseline_bpf *load_baseline(size_t members)
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

static bool same_maps(const struct contender *a, const struct contender *b)
{
	return a->probe_reads == b->probe_reads && a->entries == b->entries &&
	       a->flows == b->flows && a->idle_s == b->idle_s;
}

/* The one that serves the contender; NULL: not ours, or not loaded. */
static struct loaded *loaded_for(const struct programs *programs, const struct contender *it)
{
	for (size_t i = 0; it->words.policy && i < programs->n_loaded; i++) {
		const struct loaded *loaded = &programs->loaded[i];

		if (same_maps(loaded->first, it))
			return (struct loaded *)loaded;
	}
	return NULL;
}

static int load_ours(struct programs *programs, const struct contender *it, int proto)
{
	struct steering_size size = ours__size(programs->n);
	struct loaded *loaded = &programs->loaded[programs->n_loaded];

	if (programs->n_loaded == MAX_OURS)
		return -E2BIG;
	programs->n_loaded++;
	*loaded = (struct loaded){ .first = it };
	if (it->entries)
		size.table_entries = it->entries;
	size.flows = it->flows;
	size.idle_ticks = it->idle_s * flow_table_hz();
	return ours__load(&loaded->ours, &size, proto, it->probe_reads);
}

int programs__load(struct programs *programs, const struct contenders *contenders, int proto,
		   const int *sockets, size_t n)
{
	int err = 0;

	*programs = (struct programs){ .contenders = contenders,
				       .sockets = sockets,
				       .n = n,
				       .array = -1,
				       .baseline = load_baseline(n) };
	if (!programs->baseline)
		return failed("loading the baseline");
	for (size_t i = CONTENDER_OURS; i < contenders->n && !err; i++)
		if (!loaded_for(programs, &contenders->list[i]))
			err = load_ours(programs, &contenders->list[i], proto);
	if (err)
		programs__free(programs);
	return err;
}

void programs__free(struct programs *programs)
{
	baseline_bpf__destroy(programs->baseline);
	for (size_t i = 0; i < programs->n_loaded; i++)
		ours__free(&programs->loaded[i].ours);
	*programs = (struct programs){ .array = -1 };
}

int programs__fd(const struct programs *programs, size_t contender)
{
	const struct loaded *loaded = loaded_for(programs, &programs->contenders->list[contender]);

	if (loaded)
		return loaded->ours.at.steering.program;
	return bpf_program__fd(contender == CONTENDER_EMPTY ?
				       programs->baseline->progs.empty :
				       programs->baseline->progs.bare_select);
}

static int move_sockets(struct programs *programs, int array)
{
	if (programs->array == array)
		return 0;
	for (__u32 slot = 0; programs->array >= 0 && slot < programs->n; slot++)
		bpf_map_delete_elem(programs->array, &slot);
	programs->array = array;
	for (__u32 slot = 0; slot < programs->n; slot++) {
		__u64 fd = (__u64)programs->sockets[slot];

		if (bpf_map_update_elem(array, &slot, &fd, BPF_NOEXIST))
			return failed("a socket into the array");
	}
	return 0;
}

static int set_policy_of(struct programs *programs, struct loaded *loaded,
			 const struct contender *it)
{
	int err = 0;

	if (loaded->set == it)
		return 0;
	if (!loaded->set)
		err = ours__describe(&loaded->ours, programs->sockets, programs->n);
	if (!err)
		err = ours__set_policy(&loaded->ours, &it->words, it->weights, programs->n);
	loaded->set = it;
	return err;
}

int programs__put(struct programs *programs, size_t contender)
{
	const struct contender *it = &programs->contenders->list[contender];
	struct loaded *loaded = loaded_for(programs, it);
	int program = programs__fd(programs, contender), err;

	err = move_sockets(programs, loaded ? loaded->ours.at.steering.maps[MAP_SOCKETS] :
					      bpf_map__fd(programs->baseline->maps.sockets));
	if (!err && loaded)
		err = set_policy_of(programs, loaded, it);
	if (err)
		return err;
	if (setsockopt(programs->sockets[0], SOL_SOCKET, SO_ATTACH_REUSEPORT_EBPF, &program,
		       sizeof(program)))
		return failed("attaching the program");
	return 0;
}

int programs__take_off(const struct programs *programs)
{
	int unused = 0; /* but without it the kernel says EINVAL */

	if (setsockopt(programs->sockets[0], SOL_SOCKET, SO_DETACH_REUSEPORT_BPF, &unused,
		       sizeof(unused)))
		return failed("detaching the program");
	return 0;
}
