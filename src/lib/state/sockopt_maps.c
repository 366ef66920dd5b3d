// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* Socket option maps: what they are, and how they are opened. */
#include <bpf/bpf.h>
#include <errno.h>
#include <string.h>

#include "error.h"
#include "fd.h"
#include "state/pin_dir.h"
#include "state/sockopt_maps.h"

static const struct sockopt_map_kind {
	const char *name;
	__u32 type, key_size, value_size, entries;
} sockopt_map_kinds[SOCKOPT_MAPS] = {
	[SOCKOPT_STORAGE] = { "sockopt_storage", BPF_MAP_TYPE_SK_STORAGE, sizeof(int),
			      sizeof(struct request), 0 },
	[SOCKOPT_REQUESTS] = { "requests", BPF_MAP_TYPE_HASH, sizeof(__u64), sizeof(struct request),
			       MEMBERS_MAX },
	[SOCKOPT_MEMBERS] = { "members", BPF_MAP_TYPE_HASH, sizeof(__u64), sizeof(struct member),
			      MEMBERS_MAX },
	[SOCKOPT_STEERED] = { "steered", BPF_MAP_TYPE_HASH, sizeof(struct steered_key),
			      sizeof(struct steered), ATTACHMENTS_MAX },
	[SOCKOPT_WORKER_IDS] = { "worker_ids", BPF_MAP_TYPE_HASH, sizeof(struct worker_id),
				 sizeof(__u64), MEMBERS_MAX },
	[SOCKOPT_ASKED_MAPS] = { "asked_maps", BPF_MAP_TYPE_HASH_OF_MAPS, sizeof(__u64),
				 sizeof(__u32), ATTACHMENTS_MAX },
	[SOCKOPT_CONTROL_MAPS] = { "control_maps", BPF_MAP_TYPE_HASH_OF_MAPS, sizeof(__u64),
				   sizeof(__u32), ATTACHMENTS_MAX },
};

const char *sockopt_maps_name(enum sockopt_map map)
{
	return sockopt_map_kinds[map].name;
}

bool sockopt_maps_is_optional(enum sockopt_map map)
{
	return map == SOCKOPT_ASKED_MAPS || map == SOCKOPT_CONTROL_MAPS;
}

static bool sockopt_map_fits(int map, const struct sockopt_map_kind *kind)
{
	struct bpf_map_info info = { 0 };
	__u32 len = sizeof(info);

	return !bpf_obj_get_info_by_fd(map, &info, &len) && info.type == kind->type &&
	       info.key_size == kind->key_size && info.value_size == kind->value_size &&
	       info.max_entries == kind->entries;
}

/* Open one; return its fd or -errno. -ENOENT, without an error: it is not there. */
static int sockopt_map_open(int dir, enum sockopt_map which, struct reuseport_error *err)
{
	const struct sockopt_map_kind *kind = &sockopt_map_kinds[which];
	int map = pin_dir_get(dir, kind->name);

	if (map == -ENOENT)
		return -ENOENT;
	if (map < 0)
		return fail(err, -map, "cannot open the map %s among the hooks: %s", kind->name,
			    strerror(-map));
	if (sockopt_map_fits(map, kind))
		return map;
	fd_close(map);
	return fail(err, EPROTO,
		    "the map %s among the hooks is of another version: detach every group, then "
		    "attach again",
		    kind->name);
}

int sockopt_maps_open(int dir, struct sockopt_maps *maps, struct reuseport_error *err)
{
	for (int i = 0; i < SOCKOPT_MAPS; i++)
		maps->fds[i] = -1;
	for (int i = 0; i < SOCKOPT_MAPS; i++) {
		int map = sockopt_map_open(dir, i, err);

		if (map == -ENOENT && sockopt_maps_is_optional(i))
			continue;
		if (map < 0) {
			sockopt_maps_close(maps);
			return map;
		}
		maps->fds[i] = map;
	}
	return 0;
}

/* Return the map's id, 0 if it cannot be told. */
static __u32 sockopt_map_id(int map)
{
	struct bpf_map_info info = { 0 };
	__u32 len = sizeof(info);

	return map < 0 || bpf_obj_get_info_by_fd(map, &info, &len) ? 0 : info.id;
}

bool sockopt_maps_are_pinned(const struct sockopt_maps *maps, int dir)
{
	int pinned = pin_dir_get(dir, sockopt_maps_name(SOCKOPT_MEMBERS));
	__u32 id = sockopt_map_id(pinned);

	fd_close(pinned);
	return id && id == sockopt_map_id(maps->fds[SOCKOPT_MEMBERS]);
}

void sockopt_maps_close(struct sockopt_maps *maps)
{
	for (int i = 0; i < SOCKOPT_MAPS; i++) {
		fd_close(maps->fds[i]);
		maps->fds[i] = -1;
	}
}
