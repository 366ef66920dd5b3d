// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* Steering: the program and its maps; pin, open. */
#include <bpf/bpf.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "error.h"
#include "fd.h"
#include "state/old_abi.h"
#include "state/pin_dir.h"
#include "state/steering_maps.h"

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
	[MAP_AGES] = { "ages", NULL, BPF_MAP_TYPE_ARRAY, sizeof(struct age) },
	[MAP_ASKED] = { "asked", NULL, BPF_MAP_TYPE_ARRAY, sizeof(struct asked_slot) },
	[MAP_COUNTERS] = { "counters", NULL, BPF_MAP_TYPE_PERCPU_ARRAY,
			   sizeof(struct slot_counters) },
	[MAP_TOTALS] = { "totals", NULL, BPF_MAP_TYPE_PERCPU_ARRAY, sizeof(struct group_counters) },
	[MAP_ATTACHMENT] = { "attachment", NULL, BPF_MAP_TYPE_ARRAY,
			     sizeof(struct attachment_entry) },
	[MAP_FLOWS] = { "flows", NULL, BPF_MAP_TYPE_ARRAY, sizeof(struct flow_bucket) },
	[MAP_EVENTS] = { "events", NULL, BPF_MAP_TYPE_ARRAY_OF_MAPS, sizeof(__u32) },
};

static bool is_since_abi_5(enum steering_map map)
{
	return map == MAP_AGES || map == MAP_ASKED;
}

struct steering_size steering_size_of(const struct attachment_entry *entry)
{
	return (struct steering_size){
		.slots = entry->slots,
		.table_entries = entry->table_entries,
		.cpus = entry->cpus,
		.flows = entry->flows,
		.idle_ticks = entry->idle_ticks,
		.flow_key = { entry->flow_key[0], entry->flow_key[1] },
		.attached_ns = entry->attached_ns,
		.tells = entry->tells,
	};
}

unsigned int steering_map_entries(enum steering_map map, const struct steering_size *size)
{
	switch (map) {
	case MAP_TABLE:
		return 2 * half_words(size) / TABLE_LINE_ENTRIES;
	case MAP_CPU_MAP:
		return size->cpus;
	case MAP_SOCKETS:
	case MAP_WORKERS:
	case MAP_COUNTERS:
	case MAP_ASKED:
		return size->slots;
	case MAP_AGES:
		return size->slots + GROUP_AGES;
	case MAP_FLOWS:
		return size->flows / FLOW_BUCKET_FLOWS;
	default:
		return 1;
	}
}

bool steering_has_map(enum steering_map map, const struct steering_size *size)
{
	if (map == MAP_EVENTS)
		return size->tells;
	return map != MAP_FLOWS || size->flows;
}

const char *steering_map_name(enum steering_map map)
{
	return kinds[map].map ? kinds[map].map : kinds[map].name;
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

static bool steering_map_fits(int fd, __u32 type, __u32 value_size, __u32 entries)
{
	struct bpf_map_info info = { 0 };
	__u32 len = sizeof(info);

	return !bpf_obj_get_info_by_fd(fd, &info, &len) && info.type == type &&
	       info.value_size == value_size && info.max_entries == entries;
}

bool steering_fits(const struct steering *steering, const struct attachment_entry *entry)
{
	struct steering_size size = steering_size_of(entry);
	__u32 value_size;

	for (int i = 0; i < MAPS; i++) {
		value_size = i == MAP_ATTACHMENT ? old_abi_entry_size(entry->abi_version) :
						   kinds[i].value_size;
		if (is_since_abi_5(i) && old_abi_is_known(entry->abi_version))
			continue;
		if (steering_has_map(i, &size) &&
		    !steering_map_fits(steering->maps[i], kinds[i].type, value_size,
				       steering_map_entries(i, &size)))
			return false;
	}
	return true;
}

bool steering_in_memory(const struct steering *steering)
{
	struct bpf_map_info info = { 0 };
	__u32 len = sizeof(info);

	return !bpf_obj_get_info_by_fd(steering->maps[MAP_TABLE], &info, &len) &&
	       (info.map_flags & BPF_F_MMAPABLE);
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

	if (!program_id || (steering->program >= 0 && steering->program_id == program_id))
		return program_id != 0;
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
		missing |= ret == -ENOENT && i != MAP_FLOWS && i != MAP_EVENTS &&
			   !is_since_abi_5(i);
	}
	if (!ret || ret == -ENOENT)
		ret = steering_open_pin(&steering->program, dir, PIN_PROGRAM);
	if (!ret)
		ret = steering_learn_program(steering);
	if (ret && ret != -ENOENT)
		steering_close(steering);
	return !ret && missing ? -ENOENT : ret;
}

int steering_open_program(struct steering *steering, int dir)
{
	struct steering opened = STEERING_NONE;
	int ret;

	if (steering->program >= 0)
		return steering->program;
	ret = steering_open_pin(&opened.program, dir, PIN_PROGRAM);
	if (!ret)
		ret = steering_learn_program(&opened);
	if (!ret && opened.program_id != steering->program_id)
		ret = -ESTALE;
	if (ret) {
		fd_close(opened.program);
		return ret;
	}
	return steering->program = opened.program;
}

void steering_close(struct steering *steering)
{
	fd_close(steering->program);
	for (int i = 0; i < MAPS; i++)
		fd_close(steering->maps[i]);
	*steering = STEERING_NONE;
}
