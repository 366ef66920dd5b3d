// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* Steering load: load the program, and make its maps or take over those of an older one. */
#include <bpf/bpf.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <string.h>
#include <unistd.h>

#include "error.h"
#include "fd.h"
#include "host/libbpf_quiet.h"
#include "host/topology.h"
#include "state/steering_load.h"
#include "steer.skel.h"

#define MAPS_OF_PROGRAM 64 /* as many maps of a program as are looked at */

/* Features that not every kernel has, and whose maps to use. */
struct variant {
	bool migrate;
	bool plain_reads;
	bool in_memory;
	bool tells;
	bool nests; /* the map "asked" can be put among those of other attachments (5.10) */
	const struct steering *old; /* NULL: new ones */
};

/* Return the old map to use, -1: a new one is made. */
static int steering_old_map(const struct variant *variant, enum steering_map map)
{
	bool is_new = map == MAP_CONTROL || map == MAP_AGES || map == MAP_ASKED ||
		      map == MAP_ATTACHMENT || map == MAP_EVENTS;

	return variant->old && !is_new ? variant->old->maps[map] : -1;
}

/* Return the flags of a map that this kernel does not have. */
static __u32 steering_flags_missing(const struct variant *variant, enum steering_map map)
{
	return (variant->in_memory ? 0 : BPF_F_MMAPABLE) |
	       (map == MAP_ASKED && !variant->nests ? BPF_F_INNER_MAP : 0);
}

static int steering_set_up_map(struct steer_bpf *skeleton, const struct variant *variant,
			       const struct steering_size *size, enum steering_map which)
{
	struct bpf_map *map = bpf_object__find_map_by_name(skeleton->obj, steering_map_name(which));
	__u32 missing = steering_flags_missing(variant, which);
	int old = steering_old_map(variant, which), ret = 0;

	if (old >= 0)
		return bpf_map__reuse_fd(map, old);
	if (steering_has_map(which, size))
		ret = bpf_map__set_max_entries(map, steering_map_entries(which, size));
	if (!ret && bpf_map__map_flags(map) & missing)
		ret = bpf_map__set_map_flags(map, bpf_map__map_flags(map) & ~missing);
	return ret;
}

/* Open a map of a program by its name; return the fd or -1. */
static int steering_map_of(int program, const char *name)
{
	__u32 ids[MAPS_OF_PROGRAM], len = sizeof(struct bpf_prog_info);
	struct bpf_prog_info info = { .nr_map_ids = MAPS_OF_PROGRAM, .map_ids = (uintptr_t)ids };
	struct bpf_map_info map;
	int fd = -1;

	if (bpf_obj_get_info_by_fd(program, &info, &len))
		return -1;
	for (__u32 i = 0; i < info.nr_map_ids && i < MAPS_OF_PROGRAM; i++) {
		fd = bpf_map_get_fd_by_id(ids[i]);
		map = (struct bpf_map_info){ 0 };
		len = sizeof(map);
		if (fd >= 0 && !bpf_obj_get_info_by_fd(fd, &map, &len) && !strcmp(map.name, name))
			return fd;
		fd_close(fd);
		fd = -1;
	}
	return fd;
}

/*
 * Use the locks of the old program, which are not pinned: while one program replaces the
 * other, both may enter flows. Where the kernel does not open them (that takes CAP_SYS_ADMIN),
 * the new program has its own. At worst a flow that both enter at that instant then belongs to
 * no worker, and is new again with its next packet.
 */
static void steering_share_locks(struct steer_bpf *skeleton, const struct steering *old)
{
	int locks = steering_map_of(old->program, "flow_locks");

	if (locks >= 0 && bpf_map__reuse_fd(skeleton->maps.flow_locks, locks))
		errno = 0; /* they are new then */
	fd_close(locks);
}

static int steering_set_up_maps(struct steer_bpf *skeleton, const struct variant *variant,
				const struct steering_size *size)
{
	int ret = 0;

	bpf_map__set_autocreate(skeleton->maps.flows, size->flows);
	bpf_map__set_autocreate(skeleton->maps.flow_locks, size->flows);
	bpf_map__set_autocreate(skeleton->maps.events, size->tells);
	if (size->flows && variant->old)
		steering_share_locks(skeleton, variant->old);
	for (int i = 0; !ret && i < MAPS; i++)
		ret = steering_set_up_map(skeleton, variant, size, i);
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
	skeleton->rodata->tells = size->tells;
	skeleton->rodata->attached_ns = size->attached_ns;
	memcpy((void *)skeleton->rodata->flow_key, size->flow_key, sizeof(size->flow_key));
	bpf_program__set_expected_attach_type(
		skeleton->progs.reuseport_steer,
		variant->migrate ? BPF_SK_REUSEPORT_SELECT_OR_MIGRATE : BPF_SK_REUSEPORT_SELECT);
}

static int steering_load_variant(struct steering *steering, const struct steering_size *wanted,
				 int proto, struct variant *variant)
{
	struct steer_bpf *skeleton = steer_bpf__open();
	struct steering_size size = *wanted;
	int ret;

	if (!skeleton)
		return -errno;
	size.tells = variant->tells;
	/* All maps of an attachment can be mapped, or none. */
	if (variant->old)
		variant->in_memory = steering_in_memory(variant->old);
	steering_set_up_program(skeleton, &size, proto, variant);
	ret = steering_set_up_maps(skeleton, variant, &size);
	if (!ret)
		ret = steer_bpf__load(skeleton);
	if (!ret)
		ret = steering_dup_all(steering, skeleton, &size);
	steer_bpf__destroy(skeleton);
	if (ret)
		steering_close(steering);
	steering->migrates = !ret && variant->migrate;
	steering->plain_reads = !ret && variant->plain_reads;
	steering->tells = !ret && variant->tells;
	return ret;
}

/* Return whether the kernel puts arrays of any size into one map of maps. */
static bool steering_can_nest(void)
{
	LIBBPF_OPTS(bpf_map_create_opts, opts, .map_flags = BPF_F_INNER_MAP);
	int map = bpf_map_create(BPF_MAP_TYPE_ARRAY, "nests", sizeof(__u32), sizeof(__u32), 1,
				 &opts);

	fd_close(map);
	return map >= 0;
}

/* Try with all features first, without probing: most kernels have them. */
static int steering_load_best(struct steering *steering, const struct steering *old,
			      const struct steering_size *size, int proto,
			      struct features *features)
{
	struct variant variant = {
		.migrate = !features_disabled(features, FEATURE_MIGRATION),
		.plain_reads = !features_disabled(features, FEATURE_PLAIN_READS),
		.in_memory = !features_disabled(features, FEATURE_MMAP),
		.tells = !features_disabled(features, FEATURE_RING_BUFFER),
		.nests = true,
		.old = old,
	};
	int ret = steering_load_variant(steering, size, proto, &variant);

	/* Fewer features would not help against a limit. */
	if (!ret || error_is_limit(ret))
		return ret;
	variant.migrate = features_have(features, FEATURE_MIGRATION);
	variant.plain_reads = features_have(features, FEATURE_PLAIN_READS);
	variant.in_memory = features_have(features, FEATURE_MMAP);
	variant.tells = features_have(features, FEATURE_RING_BUFFER);
	variant.nests = steering_can_nest();
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

int steering_reload(struct steering *steering, const struct steering *old,
		    const struct steering_size *size, int proto, struct features *features,
		    struct reuseport_error *err)
{
	int ret = features_refuse_disabled(features, "steer", err);

	*steering = STEERING_NONE;
	if (!ret && size->flows && features_disabled(features, FEATURE_TICKS))
		ret = features_explain(features, FEATURE_TICKS, "keep flows sticky", err);
	if (ret)
		return ret;
	libbpf_quiet_begin();
	ret = steering_load_best(steering, old, size, proto, features);
	libbpf_quiet_end();
	return ret ? steering_explain_load(-ret, size, features, err) : 0;
}

int steering_load(struct steering *steering, const struct steering_size *size, int proto,
		  struct features *features, struct reuseport_error *err)
{
	return steering_reload(steering, NULL, size, proto, features, err);
}
