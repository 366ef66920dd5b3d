// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* Take the members of a group out of another program's sockarrays, and put them back. */
#include <bpf/bpf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "error.h"
#include "sockets/sockarray_evict.h"
#include "sockets/socket_owners.h"
#include "sockets/socket_visit.h"

/* Open the sockarrays that a program uses. */
static int open_arrays(uint32_t program_id, struct sockarray_eviction *eviction)
{
	struct bpf_prog_info info = { 0 };
	struct bpf_map_info map_info;
	__u32 ids[64], len = sizeof(info);
	int program = bpf_prog_get_fd_by_id(program_id), map;

	if (program < 0)
		return -errno;
	info.nr_map_ids = sizeof(ids) / sizeof(ids[0]);
	info.map_ids = (uintptr_t)ids;
	if (bpf_obj_get_info_by_fd(program, &info, &len))
		info.nr_map_ids = 0;
	close(program);
	for (__u32 i = 0; i < info.nr_map_ids && i < sizeof(ids) / sizeof(ids[0]); i++) {
		map = bpf_map_get_fd_by_id(ids[i]);
		if (map < 0)
			continue;
		map_info = (struct bpf_map_info){ 0 };
		len = sizeof(map_info);
		if (!bpf_obj_get_info_by_fd(map, &map_info, &len) &&
		    map_info.type == BPF_MAP_TYPE_REUSEPORT_SOCKARRAY &&
		    map_info.value_size == sizeof(uint64_t))
			eviction->maps[eviction->n_maps++] = map;
		else
			close(map);
	}
	return 0;
}

static int note_evicted(struct sockarray_eviction *eviction, int map, uint32_t slot,
			uint64_t cookie)
{
	struct evicted_socket *grown;

	if (eviction->n == eviction->room) {
		grown = realloc(eviction->list, (eviction->room * 2 + 16) * sizeof(*grown));
		if (!grown)
			return -ENOMEM;
		eviction->list = grown;
		eviction->room = eviction->room * 2 + 16;
	}
	eviction->list[eviction->n++] = (struct evicted_socket){ map, slot, cookie };
	return 0;
}

/* Note which entries to delete, before any is deleted. */
static int find_evicted(struct sockarray_eviction *eviction, const struct sock_diag_list *members)
{
	uint64_t cookie;
	uint32_t slot, next;
	int ret = 0;

	for (size_t i = 0; !ret && i < eviction->n_maps; i++) {
		int map = eviction->maps[i];
		uint32_t *previous = NULL;

		while (!ret && !bpf_map_get_next_key(map, previous, &next)) {
			slot = next;
			previous = &slot;
			if (!bpf_map_lookup_elem(map, &slot, &cookie) &&
			    sock_diag_find(members, cookie))
				ret = note_evicted(eviction, map, slot, cookie);
		}
	}
	return ret;
}

int sockarray_evict(uint32_t program_id, const struct sock_diag_list *members,
		    struct sockarray_eviction *eviction, struct reuseport_error *err)
{
	int ret;

	*eviction = (struct sockarray_eviction){ 0 };
	ret = open_arrays(program_id, eviction);
	if (!ret)
		ret = find_evicted(eviction, members);
	if (!ret && !eviction->n)
		ret = -EBUSY;
	if (ret) {
		sockarray_evict_free(eviction);
		return fail(err, EBUSY,
			    "the group's sockets are in a sockarray that cannot be "
			    "emptied and refilled%s: stop the tool that uses it first ('bpftool "
			    "map' lists reuseport_sockarray maps)",
			    ret == -EPERM ? " without CAP_SYS_ADMIN" : "");
	}
	for (size_t i = 0; i < eviction->n; i++)
		bpf_map_delete_elem(eviction->list[i].map, &eviction->list[i].slot);
	return 0;
}

static int put_back(struct socket_visit *visit, int fd, struct socket_visited *visited)
{
	const struct socket_to_visit *socket = &visit->sockets[visited->index];
	uint64_t value = fd;

	return bpf_map_update_elem(socket->map, &socket->slot, &value, BPF_NOEXIST) ? -errno : 0;
}

static void take_put_back(void *ctx, const struct socket_visited *visited)
{
	(void)ctx;
	(void)visited;
}

/* Visit the evicted sockets, and put each where it was. */
static void put_back_all(const struct sockarray_eviction *eviction,
			 const struct socket_owners *owners, const struct sock_diag_list *members,
			 struct socket_to_visit *sockets)
{
	struct socket_visit visit = { .sockets = sockets, .fn = put_back, .take = take_put_back };

	for (size_t i = 0; i < eviction->n_maps; i++)
		visit.keep[visit.n_keep++] = eviction->maps[i];
	for (size_t i = 0; i < eviction->n; i++) {
		const struct evicted_socket *one = &eviction->list[i];
		const struct sock_diag_socket *member = sock_diag_find(members, one->cookie);
		struct socket_to_visit *socket = &sockets[visit.n];

		if (!member)
			continue;
		*socket = (struct socket_to_visit){ .cookie = one->cookie,
						    .slot = one->slot,
						    .map = one->map };
		socket->n = socket_owners_of(owners, member->inode, &socket->owners);
		visit.n++;
	}
	socket_visit_run(&visit);
}

void sockarray_evict_undo(const struct sockarray_eviction *eviction,
			  const struct sock_diag_list *members)
{
	struct socket_to_visit *sockets = calloc(eviction->n + 1, sizeof(*sockets));
	struct socket_owners owners = { 0 };

	if (sockets && eviction->n && !socket_owners_scan_members(members, OWNERS_ANY, &owners))
		put_back_all(eviction, &owners, members, sockets);
	free(owners.list);
	free(sockets);
}

void sockarray_evict_free(struct sockarray_eviction *eviction)
{
	for (size_t i = 0; i < eviction->n_maps; i++)
		close(eviction->maps[i]);
	free(eviction->list);
	*eviction = (struct sockarray_eviction){ 0 };
}
