// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* Status workers: the sockets of a group, what is steered to each, and whose they are. */
#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "api/status_item.h"
#include "clock.h"
#include "error.h"
#include "sockets/group_key.h"
#include "sockets/left_out.h"
#include "sockets/places.h"
#include "sockets/socket_owners.h"
#include "state/ages.h"
#include "state/counters.h"
#include "state/generation.h"
#include "state/sockopt_members.h"

/* ---------------------------------------------------------------- sockets */

static void status_describe_worker(struct status_worker *item, const struct attachment *at,
				   unsigned int slot, const struct worker_entry *entry,
				   const struct sock_diag_socket *member)
{
	item->inode = member->inode;
	item->uid = member->key.uid;
	item->worker = (struct reuseport_worker){
		.slot = slot,
		.cookie = entry->cookie,
		.state = generation_state(generations_in_use(&at->view), entry),
		.weight = entry->weight,
		.generation = entry->generation,
		.queue = member->queue,
		.fd = -1,
		.joined_ns = entry->joined_ns,
		.state_ns = ages_of_state(&at->view, slot),
	};
	item->base = entry->base;
}

/* Only those whose socket is in its slot right now: the kernel is the truth. *unknown: there is
 * one that is not among the members. */
static int status_read_workers(struct status_item *item, const struct attachment *at,
			       const struct sock_diag_list *members, bool *unknown)
{
	*unknown = false;
	for (unsigned int slot = 0; slot < at->entry.slots; slot++) {
		const struct worker_entry entry = at->view.workers[slot];
		const struct sock_diag_socket *member;
		struct status_worker *worker;

		if (entry.state == WORKER_FREE || !attachment_holds(at, slot, entry.cookie))
			continue;
		member = sock_diag_find(members, entry.cookie);
		if (!member) {
			*unknown = true;
			continue;
		}
		worker = item_list_add(&item->workers, sizeof(*worker));
		if (!worker)
			return -ENOMEM;
		status_describe_worker(worker, at, slot, &entry, member);
	}
	item->status.workers = (const struct reuseport_worker *const *)item->workers.items;
	item->status.n_workers = item->workers.n;
	item->status.unregistered = members->n - item->workers.n;
	return 0;
}

/* Read the ids that workers have given themselves. */
static void status_read_ids(struct status_item *item, const struct attachment *at)
{
	struct sockopt_maps maps;
	struct member member;

	if (!item->workers.n || sockopt_members_open(at, &maps))
		return;
	for (size_t i = 0; i < item->workers.n; i++) {
		struct status_worker *worker = item->workers.items[i];

		worker->worker.has_id = sockopt_members_get(&maps, worker->worker.cookie,
							    at->entry.attached_ns, &member) &&
					member.has_id;
		worker->worker.id = worker->worker.has_id ? member.id : 0;
	}
	sockopt_maps_close(&maps);
}

static void status_count_worker_since(struct status_worker *worker, const struct slot_counters *now)
{
	const struct slot_counters *base = &worker->base;

	worker->worker.selected = now->selected - base->selected;
	worker->worker.migrated = now->migrated - base->migrated;
	worker->worker.fallback = now->empty - base->empty + now->refused - base->refused;
}

int status_read_counters(struct status_item *item, const struct attachment *at)
{
	struct slot_counters *by_slot = calloc(at->entry.slots + 1, sizeof(*by_slot));
	struct reuseport_status *status = &item->status;
	int ret = -ENOMEM;

	if (by_slot)
		ret = counters_read(at->steering.maps[MAP_COUNTERS], at->steering.maps[MAP_TOTALS],
				    at->entry.slots, by_slot, &item->counters);
	status->taken_ns = clock_ns(CLOCK_BOOTTIME);
	status->attached_ns = at->entry.attached_ns;
	status->gone_selected = item->counters.selected;
	status->gone_migrated = item->counters.migrated;
	for (size_t i = 0; !ret && i < item->workers.n; i++) {
		struct status_worker *worker = item->workers.items[i];

		status_count_worker_since(worker, &by_slot[worker->worker.slot]);
		status->gone_selected -= worker->worker.selected;
		status->gone_migrated -= worker->worker.migrated;
	}
	free(by_slot);
	return ret;
}

/* Note the members that have no slot: maybe they get none. */
static int status_note_left_out(struct status_item *item, const struct sock_diag_list *members)
{
	item_list_clear(&item->left_out, NULL);
	for (size_t i = 0; item->status.unregistered && i < members->n; i++) {
		const struct sock_diag_socket *socket = &members->sockets[i];
		struct status_left_out *left;
		size_t k = 0;

		while (k < item->workers.n && item->status.workers[k]->cookie != socket->cookie)
			k++;
		if (k < item->workers.n)
			continue;
		left = item_list_add(&item->left_out, sizeof(*left));
		if (!left)
			return -ENOMEM;
		left->socket = *socket;
		left->worker.inode = socket->inode;
		left->worker.uid = socket->key.uid;
		left->worker.worker.cookie = socket->cookie;
		left->worker.worker.fd = -1;
		left->worker.worker.queue = socket->queue;
	}
	return 0;
}

/* Where the kernel does not tell, it is taken for granted. */
static bool status_is_attached(const struct reuseport_status *status,
			       const struct group_members *members)
{
	if (!members->known || !members->sockets.n)
		return members->sockets.n;
	return members->program.present && members->program.id == status->program_id;
}

/* Count a socket of a group that is not steered. */
static int status_count_unsteered(void *ctx, const struct reuseport_key *key)
{
	struct status_item *item = ctx;
	struct status_unsteered *group;

	for (size_t i = 0; (group = item_list_get(&item->unsteered, i)); i++)
		if (group_key_equal(&group->key, key))
			break;
	/* A stranger can make any number of them. */
	if (!group && item->unsteered.n == REUSEPORT_UNSTEERED_MAX)
		return 0;
	if (!group)
		group = item_list_add(&item->unsteered, sizeof(*group));
	if (!group)
		return -ENOMEM;
	group->key = *key;
	group->unsteered.key = &group->key;
	group->unsteered.sockets++;
	return 0;
}

static int status_read_unsteered(struct status_item *item, const struct group_snapshot *snapshot,
				 const struct netns_ref *ns)
{
	int ret;

	item_list_clear(&item->unsteered, NULL);
	ret = group_snapshot_for_each_plain(snapshot, &item->key, ns, status_count_unsteered, item);
	item->status.unsteered = (const struct reuseport_unsteered *const *)item->unsteered.items;
	item->status.n_unsteered = item->unsteered.n;
	return ret;
}

/* Count the connected sockets at the group's place. */
static int status_count_connected(struct status_item *item, const struct netns_ref *ns,
				  struct reuseport_error *err)
{
	struct sock_diag_list all;
	struct netns_visit visit;
	int ret;

	if (item->key.proto != IPPROTO_UDP)
		return 0;
	ret = netns_enter(ns, &visit, err);
	if (ret)
		return ret == -ENETDOWN ? 0 : ret;
	ret = sock_diag_dump_all(IPPROTO_UDP, item->key.port, &all, err);
	netns_leave(&visit);
	item->status.connected_sockets = 0;
	for (size_t i = 0; !ret && i < all.n; i++)
		item->status.connected_sockets += all.sockets[i].connected &&
						  place_has_connected(&item->key,
								      &all.sockets[i].key);
	if (!ret)
		free(all.sockets);
	return ret;
}

/* Read them by the snapshot. *doubtful: they do not fit what is pinned, and were read before. */
static int status_read_by(struct status_item *item, const struct attachment *at,
			  struct group_snapshot *snapshot, bool *doubtful,
			  struct reuseport_error *err)
{
	struct netns_ref ns = { .inode = at->key.netns, .cookie = at->entry.netns_cookie };
	struct group_members members = { 0 };
	bool fresh, unknown;
	int ret = group_snapshot_members(snapshot, &at->key, &ns, at->steering.program_id, &members,
					 &fresh, err);

	if (ret && ret != -ENETDOWN)
		return ret;
	ret = status_count_connected(item, &ns, err);
	if (ret) {
		group_members_free(&members);
		return ret;
	}
	ret = status_read_workers(item, at, &members.sockets, &unknown);
	if (!ret)
		status_read_ids(item, at);
	if (!ret)
		ret = status_note_left_out(item, &members.sockets);
	if (!ret)
		ret = status_read_unsteered(item, snapshot, &ns);
	item->status.partial = at->entry.partial;
	item->status.no_sockopt = at->entry.no_sockopt;
	for (size_t i = 0; at->key.proto == IPPROTO_UDP && i < members.sockets.n; i++)
		item->status.transparent |= members.sockets.sockets[i].transparent;
	item->status.attached = status_is_attached(&item->status, &members);
	item->status.foreign = !item->status.attached && members.program.present;
	*doubtful = !fresh && (unknown || item->status.unregistered || !item->status.attached);
	group_members_free(&members);
	return ret ? fail(err, -ret, "cannot read the workers of %s: %s", at->text,
			  strerror(-ret)) :
		     0;
}

int status_read_members(struct status_item *item, const struct attachment *at,
			struct group_snapshot *snapshot, struct reuseport_error *err)
{
	bool doubtful;
	int ret = status_read_by(item, at, snapshot, &doubtful, err);

	if (ret || !doubtful)
		return ret;
	group_snapshot_forget(snapshot, &at->key);
	item_list_clear(&item->workers, NULL);
	return status_read_by(item, at, snapshot, &doubtful, err);
}

/* -------------------------------------------------------------- processes */

static int status_copy_pids(struct status_worker *item, const struct socket_owner *first, size_t n)
{
	item->pids = calloc(n + 1, sizeof(*item->pids));
	if (!item->pids)
		return -ENOMEM;
	for (size_t i = 0; i < n; i++)
		item->pids[i] = first[i].pid;
	item->worker.pids = item->pids;
	item->worker.n_pids = n;
	return 0;
}

static int status_add_owners(struct status_worker *item, const struct socket_owners *owners)
{
	const struct socket_owner *first;
	size_t n = socket_owners_of(owners, item->inode, &first);

	if (n) {
		const struct socket_owner *server = socket_owners_server(first, n);

		item->worker.pid = server->pid;
		item->worker.fd = server->fd;
		memcpy(item->worker.comm, server->comm, sizeof(item->worker.comm));
	}
	return status_copy_pids(item, first, n);
}

/* Call fn for each worker of each item, until it returns nonzero. Return that value. */
typedef int (*status_worker_fn)(void *ctx, struct status_worker *worker);

static int status_for_each_worker(const struct item_list *items, status_worker_fn fn, void *ctx)
{
	int ret = 0;

	for (size_t i = 0; i < items->n; i++) {
		const struct status_item *item = items->items[i];

		for (size_t j = 0; !ret && j < item->workers.n; j++)
			ret = fn(ctx, item->workers.items[j]);
		for (size_t j = 0; !ret && j < item->left_out.n; j++)
			ret = fn(ctx, item->left_out.items[j]);
	}
	return ret;
}

struct wanted_list {
	struct wanted_socket *list;
	size_t n;
};

static int status_count_worker(void *ctx, struct status_worker *worker)
{
	(void)worker;
	++*(size_t *)ctx;
	return 0;
}

static int status_want_owner(void *ctx, struct status_worker *worker)
{
	struct wanted_list *wanted = ctx;

	wanted->list[wanted->n++] = (struct wanted_socket){ worker->inode, worker->uid };
	return 0;
}

static int status_take_owners(void *ctx, struct status_worker *worker)
{
	return status_add_owners(worker, ctx);
}

static bool status_is_left_out(const void *item)
{
	return ((const struct status_left_out *)item)->worker.worker.left_out;
}

/* Say why members have no slot; those that are about to get one are no more than counted. */
static void status_explain_left_out(struct status_item *item, const struct socket_owners *owners)
{
	struct left_out why;

	for (size_t i = 0; i < item->left_out.n; i++) {
		struct status_left_out *left = item->left_out.items[i];
		struct reuseport_worker *worker = &left->worker.worker;

		left_out_explain(&left->socket, owners, &why);
		worker->left_out = why.reason;
		if (worker->pid != why.pid)
			worker->fd = -1;
		worker->pid = why.pid;
		memcpy(worker->comm, why.comm, sizeof(worker->comm));
		if (why.reason)
			continue;
		/* It goes with the item. */
		free(left->worker.pids);
		left->worker.pids = NULL;
	}
	item_list_filter(&item->left_out, status_is_left_out);
	item->status.left_out = (const struct reuseport_worker *const *)item->left_out.items;
	item->status.n_left_out = item->left_out.n;
}

int status_read_owners(const struct item_list *items, struct reuseport_error *err)
{
	struct socket_owners owners = { 0 };
	struct wanted_list wanted = { 0 };
	size_t n = 0;
	int ret = -ENOMEM;

	status_for_each_worker(items, status_count_worker, &n);
	wanted.list = calloc(n + 1, sizeof(*wanted.list));
	if (wanted.list) {
		status_for_each_worker(items, status_want_owner, &wanted);
		ret = socket_owners_scan(wanted.list, n, OWNERS_SERVING, &owners);
	}
	if (!ret)
		ret = status_for_each_worker(items, status_take_owners, &owners);
	for (size_t i = 0; !ret && i < items->n; i++)
		status_explain_left_out(items->items[i], &owners);
	free(wanted.list);
	free(owners.list);
	return ret ? fail(err, -ret, "cannot look which processes have the workers' sockets: %s",
			  strerror(-ret)) :
		     0;
}
