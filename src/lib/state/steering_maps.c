// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* Steering: the program and its maps; load, pin, open. */
#include <bpf/bpf.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "error.h"
#include "fd.h"
#include "host/libbpf_quiet.h"
#include "host/topology.h"
#include "state/pin_dir.h"
#include "state/steering_maps.h"
#include "steer.skel.h"

#define MAPS_OF_PROGRAM 64 /* as many maps of a program as are looked at */

/* Each map, as bpf/maps.h defines it. */
static const struct map_kind {
	const char *name; /* of the pin */
	const char *map;  /* of the map, if it is another */
	__u32 type;
	__u32 value_size;
} kinds[MAPS] = {
	[MAP_SOCKETS] = { "sockets", NULL, BPF_MAP_TYPE_REUSEPORT_SOCKARRAY, sizeof(__u64) },
	[MAP_CONTROL] = { "control", ".data.control", BPF_MAP_TYPE_ARRAY, sizeof(struct control) },
	[MAP_TABLE] = { "table", NULL, BPF_MAP_TYPE_ARRAY, sizeof(struct table_line) },
	[MAP_CPU_MAP] = { "cpu_map", NULL, BPF_MAP_TYPE_ARRAY, sizeof(struct given_cpu) },
	[MAP_WORKERS] = { "workers", NULL, BPF_MAP_TYPE_ARRAY, sizeof(struct worker_entry) },
	[MAP_COUNTERS] = { "counters", NULL, BPF_MAP_TYPE_PERCPU_ARRAY,
			   sizeof(struct slot_counters) },
	[MAP_TOTALS] = { "totals", NULL, BPF_MAP_TYPE_PERCPU_ARRAY, sizeof(struct group_counters) },
	[MAP_ATTACHMENT] = { "attachment", NULL, BPF_MAP_TYPE_ARRAY,
			     sizeof(struct attachment_entry) },
	[MAP_FLOWS] = { "flows", NULL, BPF_MAP_TYPE_ARRAY, sizeof(struct flow_bucket) },
};

struct steering_size steering_size_of(const struct attachment_entry *entry)
{
	return (struct steering_size){
		.slots = entry->slots,
		.table_entries = entry->table_entries,
		.cpus = entry->cpus,
		.flows = entry->flows,
		.idle_ticks = entry->idle_ticks,
		.flow_key = { entry->flow_key[0], entry->flow_key[1] },
	};
}

/* ---------------------------------------------------------------- loading */

static unsigned int steering_map_entries(enum steering_map map, const struct steering_size *size)
{
	switch (map) {
	case MAP_TABLE:
		return 2 * half_words(size) / TABLE_LINE_ENTRIES;
	case MAP_CPU_MAP:
		return size->cpus;
	case MAP_SOCKETS:
	case MAP_WORKERS:
	case MAP_COUNTERS:
		return size->slots;
	case MAP_FLOWS:
		return size->flows / FLOW_BUCKET_FLOWS;
	default:
		return 1;
	}
}

static bool steering_has_map(enum steering_map map, const struct steering_size *size)
{
	return map != MAP_FLOWS || size->flows;
}

static const char *steering_map_name(enum steering_map map)
{
	return kinds[map].map ? kinds[map].map : kinds[map].name;
}

static int steering_set_up_maps(struct steer_bpf *skeleton, const struct steering_size *size)
{
	struct bpf_map *map;
	int ret = 0;

	bpf_map__set_autocreate(skeleton->maps.flows, size->flows);
	bpf_map__set_autocreate(skeleton->maps.flow_locks, size->flows);
	for (int i = 0; !ret && i < MAPS; i++) {
		map = bpf_object__find_map_by_name(skeleton->obj, steering_map_name(i));
		if (steering_has_map(i, size))
			ret = bpf_map__set_max_entries(map, steering_map_entries(i, size));
	}
	return ret;
}

static int steering_dup(int fd)
{
	int kept = fcntl(fd, F_DUPFD_CLOEXEC, 3);

	return kept < 0 ? -errno : kept;
}

/* Duplicate the fds of the skeleton, which closes its own. */
static int steering_dup_all(struct steering *steering, struct steer_bpf *skeleton,
			    const struct steering_size *size)
{
	struct bpf_prog_info info = { 0 };
	__u32 len = sizeof(info);
	int program = bpf_program__fd(skeleton->progs.reuseport_steer);

	if (bpf_obj_get_info_by_fd(program, &info, &len))
		return -errno;
	steering->program_id = info.id;
	steering->program = steering_dup(program);
	for (int i = 0; steering->program >= 0 && i < MAPS; i++) {
		if (!steering_has_map(i, size))
			continue;
		steering->maps[i] = steering_dup(
			bpf_object__find_map_fd_by_name(skeleton->obj, steering_map_name(i)));
		if (steering->maps[i] < 0)
			return steering->maps[i];
	}
	return steering->program < 0 ? steering->program : 0;
}

/* Features that not every kernel has. */
struct variant {
	bool migrate;
	bool plain_reads;
	bool in_memory;
};

static int steering_forbid_mmap(struct steer_bpf *skeleton)
{
	struct bpf_map *map;
	int ret = 0;

	for (int i = 0; !ret && i < MAPS; i++) {
		map = bpf_object__find_map_by_name(skeleton->obj, steering_map_name(i));
		ret = bpf_map__set_map_flags(map, bpf_map__map_flags(map) & ~BPF_F_MMAPABLE);
	}
	return ret;
}

static void steering_set_up_program(struct steer_bpf *skeleton, const struct steering_size *size,
				    int proto, const struct variant *variant)
{
	skeleton->rodata->slots = size->slots;
	skeleton->rodata->table_lines = half_words(size) / TABLE_LINE_ENTRIES;
	skeleton->rodata->table_entries = size->table_entries;
	skeleton->rodata->cpus = size->cpus;
	skeleton->rodata->nodes = topology_nodes();
	skeleton->rodata->udp = proto == IPPROTO_UDP;
	skeleton->rodata->plain_reads = variant->plain_reads;
	skeleton->rodata->migrate = variant->migrate;
	skeleton->rodata->flow_buckets = size->flows / FLOW_BUCKET_FLOWS;
	skeleton->rodata->idle_ticks = size->idle_ticks;
	memcpy((void *)skeleton->rodata->flow_key, size->flow_key, sizeof(size->flow_key));
	bpf_program__set_expected_attach_type(
		skeleton->progs.reuseport_steer,
		variant->migrate ? BPF_SK_REUSEPORT_SELECT_OR_MIGRATE : BPF_SK_REUSEPORT_SELECT);
}

static int steering_load_variant(struct steering *steering, const struct steering_size *size,
				 int proto, const struct variant *variant)
{
	struct steer_bpf *skeleton = steer_bpf__open();
	int ret;

	if (!skeleton)
		return -errno;
	steering_set_up_program(skeleton, size, proto, variant);
	ret = steering_set_up_maps(skeleton, size);
	if (!ret && !variant->in_memory)
		ret = steering_forbid_mmap(skeleton);
	if (!ret)
		ret = steer_bpf__load(skeleton);
	if (!ret)
		ret = steering_dup_all(steering, skeleton, size);
	steer_bpf__destroy(skeleton);
	if (ret)
		steering_close(steering);
	steering->migrates = !ret && variant->migrate;
	steering->plain_reads = !ret && variant->plain_reads;
	return ret;
}

/* Try with all features first, without probing: most kernels have them. */
static int steering_load_best(struct steering *steering, const struct steering_size *size,
			      int proto, struct features *features)
{
	struct variant variant = {
		.migrate = !features_disabled(features, FEATURE_MIGRATION),
		.plain_reads = !features_disabled(features, FEATURE_PLAIN_READS),
		.in_memory = !features_disabled(features, FEATURE_MMAP),
	};
	int ret = steering_load_variant(steering, size, proto, &variant);

	/* Fewer features would not help against a limit. */
	if (!ret || error_is_limit(ret))
		return ret;
	variant.migrate = features_have(features, FEATURE_MIGRATION);
	variant.plain_reads = features_have(features, FEATURE_PLAIN_READS);
	variant.in_memory = features_have(features, FEATURE_MMAP);
	ret = steering_load_variant(steering, size, proto, &variant);
	/* The kernel has the feature, but not for a program like this one. */
	if (ret && variant.plain_reads) {
		variant.plain_reads = false;
		ret = steering_load_variant(steering, size, proto, &variant);
	}
	if (ret && variant.migrate) {
		variant.migrate = false;
		ret = steering_load_variant(steering, size, proto, &variant);
	}
	return ret;
}

static int steering_explain_load(int code, const struct steering_size *size,
				 struct features *features, struct reuseport_error *err)
{
	static const char what[] = "load the steering program";
	int ret = features_explain_needed(features, what, err);

	if (!ret && size->flows)
		ret = features_explain(features, FEATURE_TICKS, what, err);
	return ret ? ret : fail(err, code, "cannot load the steering program: %s", strerror(code));
}

int steering_load(struct steering *steering, const struct steering_size *size, int proto,
		  struct features *features, struct reuseport_error *err)
{
	int ret = features_refuse_disabled(features, "steer", err);

	if (!ret && size->flows && features_disabled(features, FEATURE_TICKS))
		ret = features_explain(features, FEATURE_TICKS, "keep flows sticky", err);
	if (ret)
		return ret;
	libbpf_quiet_begin();
	ret = steering_load_best(steering, size, proto, features);
	libbpf_quiet_end();
	return ret ? steering_explain_load(-ret, size, features, err) : 0;
}

/* ---------------------------------------------------------------- pinning */

int steering_pin(const struct steering *steering, int dir, const char *path,
		 struct reuseport_error *err)
{
	int ret = 0;

	for (int i = 0; !ret && i < MAPS; i++)
		if (steering->maps[i] >= 0)
			ret = pin_dir_pin(dir, kinds[i].name, steering->maps[i]);
	if (!ret)
		ret = pin_dir_pin(dir, PIN_PROGRAM, steering->program);
	if (ret)
		return fail(err, -ret, "cannot pin in %s: %s", path, strerror(-ret));
	return 0;
}

void steering_unpin(int dir)
{
	unlinkat(dir, PIN_PROGRAM, 0);
	for (int i = 0; i < MAPS; i++)
		unlinkat(dir, kinds[i].name, 0);
}

/* Return whether the fd is of the kind "map" or "prog": 1, 0 or -errno. */
static int steering_fd_is_kind(int fd, const char *kind)
{
	char path[32], link[64], wanted[32];
	ssize_t len;

	snprintf(wanted, sizeof(wanted), "anon_inode:bpf-%s", kind);
	len = readlink(pin_dir_self(fd, path), link, sizeof(link) - 1);
	if (len < 0)
		return -errno;
	link[len] = '\0';
	return !strcmp(link, wanted);
}

static int steering_open_pin(int *fd, int dir, const char *name)
{
	int found = pin_dir_get(dir, name), ret;

	*fd = -1;
	if (found < 0)
		return found;
	ret = steering_fd_is_kind(found, strcmp(name, PIN_PROGRAM) ? "map" : "prog");
	if (ret > 0) {
		*fd = found;
		return 0;
	}
	close(found);
	return ret ? ret : -ENOENT;
}

static bool steering_map_fits(int fd, const struct map_kind *kind, __u32 entries)
{
	struct bpf_map_info info = { 0 };
	__u32 len = sizeof(info);

	return !bpf_obj_get_info_by_fd(fd, &info, &len) && info.type == kind->type &&
	       info.value_size == kind->value_size && info.max_entries == entries;
}

bool steering_fits(const struct steering *steering, const struct attachment_entry *entry)
{
	struct steering_size size = steering_size_of(entry);

	for (int i = 0; i < MAPS; i++)
		if (steering_has_map(i, &size) &&
		    !steering_map_fits(steering->maps[i], &kinds[i],
				       steering_map_entries(i, &size)))
			return false;
	return true;
}

/* Return whether a program was loaded with a map: it uses it, or both have the same BTF object,
 * which each load makes anew. */
static bool steering_loaded_with(const struct bpf_prog_info *program, const __u32 *map_ids, int map)
{
	struct bpf_map_info info = { 0 };
	__u32 len = sizeof(info);

	if (map < 0 || bpf_obj_get_info_by_fd(map, &info, &len))
		return false;
	for (__u32 i = 0; i < program->nr_map_ids; i++)
		if (map_ids[i] == info.id)
			return true;
	return info.btf_id && info.btf_id == program->btf_id;
}

int steering_owns(const struct steering *steering, uint32_t program_id)
{
	__u32 map_ids[MAPS_OF_PROGRAM], len = sizeof(struct bpf_prog_info);
	struct bpf_prog_info info = { .nr_map_ids = MAPS_OF_PROGRAM,
				      .map_ids = (uintptr_t)map_ids };
	bool owns = false;
	int fd;

	if (!program_id || steering->program >= 0)
		return program_id && steering->program_id == program_id;
	fd = bpf_prog_get_fd_by_id(program_id);
	if (fd < 0 && error_is_limit(-errno))
		return -errno;
	if (fd < 0 || bpf_obj_get_info_by_fd(fd, &info, &len))
		info.nr_map_ids = info.btf_id = 0;
	if (info.nr_map_ids > MAPS_OF_PROGRAM)
		info.nr_map_ids = MAPS_OF_PROGRAM;
	for (int i = 0; !owns && i < MAPS; i++)
		owns = steering_loaded_with(&info, map_ids, steering->maps[i]);
	fd_close(fd);
	return owns;
}

/* Learn the program's id. -ENOENT: it is of another type. */
static int steering_learn_program(struct steering *steering)
{
	struct bpf_prog_info info = { 0 };
	__u32 len = sizeof(info);

	if (bpf_obj_get_info_by_fd(steering->program, &info, &len))
		return -errno;
	if (info.type != BPF_PROG_TYPE_SK_REUSEPORT)
		return -ENOENT;
	steering->program_id = info.id;
	return 0;
}

int steering_open(struct steering *steering, int dir)
{
	bool missing = false;
	int ret = 0;

	*steering = STEERING_NONE;
	for (int i = 0; i < MAPS && (!ret || ret == -ENOENT); i++) {
		ret = steering_open_pin(&steering->maps[i], dir, kinds[i].name);
		missing |= ret == -ENOENT && i != MAP_FLOWS;
	}
	if (!ret || ret == -ENOENT)
		ret = steering_open_pin(&steering->program, dir, PIN_PROGRAM);
	if (!ret)
		ret = steering_learn_program(steering);
	if (ret && ret != -ENOENT)
		steering_close(steering);
	return !ret && missing ? -ENOENT : ret;
}

void steering_close(struct steering *steering)
{
	fd_close(steering->program);
	for (int i = 0; i < MAPS; i++)
		fd_close(steering->maps[i]);
	*steering = STEERING_NONE;
}
