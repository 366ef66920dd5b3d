// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* Sockopt members: what the programs of the socket options know of groups and their workers. */
#include <bpf/bpf.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "fd.h"
#include "state/attachment_entry.h"
#include "state/generation.h"
#include "state/kept.h"
#include "state/plan_lock.h"
#include "state/sockopt_members.h"
#include "state/sockopt_set.h"

/* ------------------------------------------------------------------- a member */

int sockopt_members_put(const struct sockopt_maps *maps, uint64_t cookie,
			const struct member *member)
{
	return bpf_map_update_elem(maps->fds[SOCKOPT_MEMBERS], &cookie, member, BPF_ANY) ? -errno :
											   0;
}

bool sockopt_members_get(const struct sockopt_maps *maps, uint64_t cookie, uint64_t attachment,
			 struct member *member)
{
	return !bpf_map_lookup_elem(maps->fds[SOCKOPT_MEMBERS], &cookie, member) &&
	       member->attachment == attachment;
}

bool sockopt_members_request(const struct sockopt_maps *maps, uint64_t cookie,
			     struct request *request)
{
	return !bpf_map_lookup_elem(maps->fds[SOCKOPT_REQUESTS], &cookie, request);
}

void sockopt_members_drop(const struct sockopt_maps *maps, uint64_t cookie,
			  const struct member *member)
{
	struct request request;
	struct member other = *member;

	sockopt_members_give_up_id(maps, cookie, member);
	/* It may have claimed another one that the keeper has not read. */
	if (sockopt_members_request(maps, cookie, &request) && request.id_at) {
		other.id = request.id;
		other.has_id = 1;
		sockopt_members_give_up_id(maps, cookie, &other);
	}
	/* The requests last: as long as there is a member, the programs write them. */
	bpf_map_delete_elem(maps->fds[SOCKOPT_MEMBERS], &cookie);
	bpf_map_delete_elem(maps->fds[SOCKOPT_REQUESTS], &cookie);
}

/* ------------------------------------------------------------------------ ids */

static struct worker_id sockopt_members_id(const struct member *member, uint32_t id)
{
	return (struct worker_id){ .attachment = member->attachment,
				   .generation = member->generation,
				   .id = id };
}

static bool sockopt_members_has_id(const struct sockopt_maps *maps, uint64_t cookie,
				   const struct worker_id *key)
{
	uint64_t owner;

	return !bpf_map_lookup_elem(maps->fds[SOCKOPT_WORKER_IDS], key, &owner) && owner == cookie;
}

int sockopt_members_claim_id(const struct sockopt_maps *maps, uint64_t cookie,
			     const struct member *member, uint32_t id)
{
	struct worker_id key = sockopt_members_id(member, id);
	int ret = bpf_map_update_elem(maps->fds[SOCKOPT_WORKER_IDS], &key, &cookie, BPF_NOEXIST) ?
			  -errno :
			  0;

	return ret == -EEXIST && sockopt_members_has_id(maps, cookie, &key) ? 0 : ret;
}

void sockopt_members_give_up_id(const struct sockopt_maps *maps, uint64_t cookie,
				const struct member *member)
{
	struct worker_id key = sockopt_members_id(member, member->id);

	if (member->has_id && sockopt_members_has_id(maps, cookie, &key))
		bpf_map_delete_elem(maps->fds[SOCKOPT_WORKER_IDS], &key);
}

/* -------------------------------------------------------------------- a group */

void sockopt_members_describe(const struct attachment *at, unsigned int slot, struct member *member)
{
	const struct worker_entry *entry = &at->view.workers[slot];

	member->attachment = at->entry.attached_ns;
	member->slot = slot;
	member->generation = entry->generation;
	member->state = generation_state(generations_in_use(&at->view), entry);
	member->weight = entry->weight;
	member->no_sockopt = at->entry.no_sockopt;
}

static struct steered_key sockopt_members_key(const struct attachment *at)
{
	struct steered_key key = {
		.netns_cookie = at->key.netns_cookie,
		.ifindex = at->key.ifindex,
		.port = at->key.port,
		.proto = at->key.proto,
		.family = at->key.family,
		.v6only = at->key.v6only,
	};

	memcpy(key.addr, at->key.addr, sizeof(key.addr));
	return key;
}

/* Return whether the attachment's map is in a map of maps already: to put it there is to wait for a
 * grace period. */
static bool sockopt_members_has_map(int maps, uint64_t attachment, int map)
{
	struct bpf_map_info info = { 0 };
	__u32 len = sizeof(info), id;

	return !bpf_map_lookup_elem(maps, &attachment, &id) &&
	       !bpf_obj_get_info_by_fd(map, &info, &len) && info.id == id;
}

/* Put it there; return whether it is. */
static bool sockopt_members_put_map(int maps, uint64_t attachment, int map)
{
	return maps >= 0 && map >= 0 &&
	       (sockopt_members_has_map(maps, attachment, map) ||
		!bpf_map_update_elem(maps, &attachment, &map, BPF_ANY));
}

int sockopt_members_steer(const struct sockopt_maps *maps, const struct attachment *at)
{
	struct steered value = { .attachment = at->entry.attached_ns,
				 .no_sockopt = at->entry.no_sockopt };
	struct steered_key key = sockopt_members_key(at);
	uint64_t id = at->entry.attached_ns;

	/* Without these two a request holds when the keeper has published it. The control first:
	 * a word that is written is shown, too. */
	if (at->view.asked && sockopt_members_put_map(maps->fds[SOCKOPT_CONTROL_MAPS], id,
						      at->steering.maps[MAP_CONTROL]))
		sockopt_members_put_map(maps->fds[SOCKOPT_ASKED_MAPS], id,
					at->steering.maps[MAP_ASKED]);
	return bpf_map_update_elem(maps->fds[SOCKOPT_STEERED], &key, &value, BPF_ANY) ? -errno : 0;
}

/* ------------------------------------------------------------------- removing */

static void sockopt_members_remove_members(const struct sockopt_maps *maps, uint64_t attachment)
{
	int map = maps->fds[SOCKOPT_MEMBERS];
	struct member member;
	uint64_t key, next;
	bool more = !bpf_map_get_next_key(map, NULL, &next);

	for (unsigned int n = 0; more && n < 2 * MEMBERS_MAX; n++) {
		key = next;
		/* Before the key goes: without it the walk would begin again. */
		more = !bpf_map_get_next_key(map, &key, &next);
		if (sockopt_members_get(maps, key, attachment, &member))
			sockopt_members_drop(maps, key, &member);
	}
}

static void sockopt_members_remove_steered(const struct sockopt_maps *maps, uint64_t attachment)
{
	int map = maps->fds[SOCKOPT_STEERED];
	struct steered_key key, next;
	struct steered steered;
	bool more = !bpf_map_get_next_key(map, NULL, &next);

	for (unsigned int n = 0; more && n < 2 * ATTACHMENTS_MAX; n++) {
		key = next;
		more = !bpf_map_get_next_key(map, &key, &next);
		if (!bpf_map_lookup_elem(map, &key, &steered) && steered.attachment == attachment)
			bpf_map_delete_elem(map, &key);
	}
}

void sockopt_members_remove(const struct sockopt_maps *maps, uint64_t attachment)
{
	sockopt_members_remove_steered(maps, attachment);
	sockopt_members_remove_members(maps, attachment);
	if (maps->fds[SOCKOPT_ASKED_MAPS] >= 0)
		bpf_map_delete_elem(maps->fds[SOCKOPT_ASKED_MAPS], &attachment);
	if (maps->fds[SOCKOPT_CONTROL_MAPS] >= 0)
		bpf_map_delete_elem(maps->fds[SOCKOPT_CONTROL_MAPS], &attachment);
}

int sockopt_members_open(const struct attachment *at, struct sockopt_maps *maps)
{
	int root = openat(at->dir, "..", O_RDONLY | O_DIRECTORY | O_CLOEXEC), ret;

	if (root < 0)
		return -errno;
	ret = sockopt_set_open(root, maps, NULL);
	close(root);
	return ret;
}

void sockopt_members_remove_pinned(const struct attachment *at)
{
	struct attachment_entry entry;
	struct sockopt_maps maps;
	uint32_t version;

	if (at->dir < 0 || attachment_entry_read(&at->steering, &entry, &version) ||
	    sockopt_members_open(at, &maps))
		return;
	sockopt_members_remove(&maps, entry.attached_ns);
	sockopt_maps_close(&maps);
}

/* Fill in what the pins say now. In another generation its id may be another worker's. */
static void sockopt_members_update(const struct sockopt_maps *maps, const struct attachment *at,
				   unsigned int slot, struct member *member)
{
	uint64_t cookie = at->view.workers[slot].cookie;
	struct member before = *member;

	sockopt_members_describe(at, slot, member);
	if (!before.has_id || before.generation == member->generation)
		return;
	sockopt_members_give_up_id(maps, cookie, &before);
	member->has_id = !sockopt_members_claim_id(maps, cookie, member, before.id);
}

void sockopt_members_follow(const struct attachment *at)
{
	struct sockopt_maps maps;
	struct member member;

	if (kept_by_process(at->dir)) {
		plan_lock_notify(at);
		return;
	}
	if (sockopt_members_open(at, &maps))
		return;
	for (unsigned int slot = 0; slot < at->entry.slots; slot++) {
		uint64_t cookie = at->view.workers[slot].cookie;

		if (!cookie || !sockopt_members_get(&maps, cookie, at->entry.attached_ns, &member))
			continue;
		sockopt_members_update(&maps, at, slot, &member);
		sockopt_members_put(&maps, cookie, &member);
	}
	sockopt_maps_close(&maps);
}
