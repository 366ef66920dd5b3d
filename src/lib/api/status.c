// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* reuseport_get_status(): what holds for each attachment at this moment. */
#include <bpf/bpf.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "error.h"
#include "host/caps.h"
#include "item_list.h"
#include "keeper/degraded.h"
#include "keeper/handle.h"
#include "keeper/handle_owner.h"
#include "sockets/group_members.h"
#include "sockets/socket_owners.h"
#include "state/attachment.h"
#include "state/counters.h"
#include "state/flow_table.h"
#include "state/generation.h"
#include "state/pin_dir.h"
#include "state/read_policy.h"

const char *reuseport_state_name(unsigned int state)
{
	static const char *const names[] = { "free", "joining", "active", "draining", "leaving" };

	return state < sizeof(names) / sizeof(names[0]) ? names[state] : "unknown";
}

/* For how long pins that are not whole are looked at again. */
#define DAMAGED_TRIES 3
#define DAMAGED_PAUSE_MS 20

/* The public list. */
struct reuseport_status_list {
	struct item_list items; /* of struct status_item */
};

struct status_item {
	struct reuseport_status status; /* first */
	struct reuseport_key key;
	struct reuseport_policy_info policy;
	struct reuseport_modes modes;
	struct reuseport_generations generations;
	struct reuseport_counters counters;
	struct item_list workers; /* of struct status_worker */
};

struct status_worker {
	struct reuseport_worker worker; /* first */
	uint32_t *pids;
};

/* ---------------------------------------------------------------- workers */

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

static int status_describe_worker(struct status_worker *item, const struct attachment *at,
				  unsigned int slot, const struct worker_entry *entry,
				  const struct sock_diag_socket *member,
				  const struct socket_owners *owners)
{
	const struct socket_owner *first;
	size_t n = socket_owners_of(owners, member->inode, &first);
	struct slot_counters now;

	if (counters_of_slot(at->steering.maps[MAP_COUNTERS], slot, &now))
		return -errno;
	item->worker = (struct reuseport_worker){
		.slot = slot,
		.cookie = entry->cookie,
		.state = generation_state(generations_in_use(&at->view), entry),
		.weight = entry->weight,
		.generation = entry->generation,
		.queue = member->queue,
		.selected = now.selected - entry->base.selected,
		.migrated = now.migrated - entry->base.migrated,
		.fallback = now.empty - entry->base.empty + now.refused - entry->base.refused,
	};
	if (n) {
		const struct socket_owner *server = socket_owners_server(first, n);

		item->worker.pid = server->pid;
		memcpy(item->worker.comm, server->comm, sizeof(item->worker.comm));
	}
	return status_copy_pids(item, first, n);
}

/* Only those whose socket is in its slot right now: the kernel is the truth. */
static int status_read_workers(struct status_item *item, const struct attachment *at,
			       const struct sock_diag_list *members,
			       const struct socket_owners *owners)
{
	int ret = 0;

	for (unsigned int slot = 0; !ret && slot < at->entry.slots; slot++) {
		const struct worker_entry entry = at->view.workers[slot];
		const struct sock_diag_socket *member;
		struct status_worker *worker;

		if (entry.state == WORKER_FREE || item->workers.n == members->n)
			continue;
		member = sock_diag_find(members, entry.cookie);
		if (!member || !attachment_holds(at, slot, entry.cookie))
			continue;
		worker = item_list_add(&item->workers, sizeof(*worker));
		ret = worker ? status_describe_worker(worker, at, slot, &entry, member, owners) :
			       -ENOMEM;
	}
	item->status.workers = (const struct reuseport_worker *const *)item->workers.items;
	item->status.n_workers = item->workers.n;
	item->status.unregistered = members->n - item->workers.n;
	return ret;
}

static int status_read_flows(struct status_item *item, const struct map_view *view)
{
	uint64_t *by_slot, entered = item->counters.flows;

	item->status.flows = view->size.flows;
	item->status.idle_s = view->size.idle_ticks / flow_table_hz();
	if (!item->status.flows)
		return 0;
	by_slot = calloc(item->status.slots, sizeof(*by_slot));
	if (!by_slot)
		return -ENOMEM;
	item->status.flows_occupied = flow_table_count(view, by_slot);
	for (size_t i = 0; i < item->workers.n; i++) {
		struct status_worker *worker = item->workers.items[i];

		worker->worker.flows = by_slot[worker->worker.slot];
	}
	/* Flows may have been entered since the counters were read. */
	if (entered > item->status.flows_occupied)
		item->counters.flows_evicted = entered - item->status.flows_occupied;
	free(by_slot);
	return 0;
}

static void status_describe_generations(struct status_item *item, const struct map_view *view)
{
	const struct generations *g = generations_in_use(view);

	item->generations = (struct reuseport_generations){
		.phase = (enum reuseport_rollout_phase)g->phase,
		.serving = g->serving,
		.other = g->other,
	};
	item->status.admit_manual = plan_in_use(view)->flags & PLAN_ADMIT_MANUAL;
}

/* ---------------------------------------------------------------- program */

static void status_describe_program(struct reuseport_status *status,
				    const struct steering *steering)
{
	struct bpf_prog_info info = { 0 };
	__u32 len = sizeof(info);

	status->program_id = steering->program_id;
	if (bpf_obj_get_info_by_fd(steering->program, &info, &len))
		return;
	snprintf(status->program_name, sizeof(status->program_name), "%s", info.name);
	for (size_t i = 0; i < sizeof(info.tag); i++)
		snprintf(status->program_tag + 2 * i, 3, "%02x", info.tag[i]);
}

/* Where the kernel does not tell, it is taken for granted. */
static bool status_is_attached(const struct reuseport_status *status,
			       const struct group_members *members)
{
	if (!members->known || !members->sockets.n)
		return members->sockets.n;
	return members->program.present && members->program.id == status->program_id;
}

/* ------------------------------------------------------------- attachment */

/* Read the sockets of the group and what goes with each. */
static int status_read_members(struct status_item *item, const struct attachment *at,
			       struct group_iter_bpf *reader, struct reuseport_error *err)
{
	struct netns_ref ns = { .inode = at->key.netns, .cookie = at->entry.netns_cookie };
	struct group_members members = { 0 };
	struct socket_owners owners = { 0 };
	int ret = group_members_read(&at->key, &ns, reader, at->steering.program_id, &members, err);

	if (ret && ret != -ENETDOWN)
		return ret;
	ret = socket_owners_scan_members(&members.sockets, OWNERS_SERVING, &owners);
	if (!ret)
		ret = status_read_workers(item, at, &members.sockets, &owners);
	item->status.attached = status_is_attached(&item->status, &members);
	free(owners.list);
	group_members_free(&members);
	return ret ? fail(err, -ret, "cannot read the workers of %s: %s", at->text,
			  strerror(-ret)) :
		     0;
}

static int status_describe(struct status_item *item, const struct attachment *at,
			   struct group_iter_bpf *reader, struct reuseport_error *err)
{
	int ret;

	read_policy(&item->policy, at);
	item->status.keeper_pid = at->entry.keeper_pid;
	item->status.slots = at->entry.slots;
	item->modes = degraded_modes(at);
	status_describe_generations(item, &at->view);
	status_describe_program(&item->status, &at->steering);
	ret = status_read_members(item, at, reader, err);
	if (ret)
		return ret;
	ret = counters_read(at->steering.maps[MAP_COUNTERS], at->steering.maps[MAP_TOTALS],
			    at->entry.slots, &item->counters);
	if (!ret)
		ret = status_read_flows(item, &at->view);
	if (ret)
		return fail(err, -ret, "cannot read %s: %s", item->status.pin, strerror(-ret));
	return 0;
}

/* Add an item with what is known of it without its pins. */
static struct status_item *status_add(struct reuseport_status_list *list,
				      const struct reuseport_key *key, const char *pin,
				      bool keeper_running)
{
	struct status_item *item = item_list_add(&list->items, sizeof(*item));

	if (!item)
		return NULL;
	item->key = *key;
	item->status.key = &item->key;
	item->status.policy = &item->policy;
	item->status.modes = &item->modes;
	item->status.generations = &item->generations;
	item->status.counters = &item->counters;
	netns_name_of(key->netns, item->status.netns_name, sizeof(item->status.netns_name));
	snprintf(item->status.pin, sizeof(item->status.pin), "%s", pin);
	item->status.keeper_running = keeper_running;
	return item;
}

struct status_collection {
	struct group_key_filter filter;
	struct group_iter_bpf *reader; /* NULL: there are no iterators, or it was not needed */
	bool reader_tried;
	struct reuseport_status_list *list;
	struct reuseport_error *err;
};

/* Load the iterators when the first attachment needs them. */
static int status_open_reader(struct status_collection *all)
{
	int ret = 0;

	if (!all->reader_tried)
		ret = group_iter_open(&all->reader, all->err);
	if (ret && ret != -EOPNOTSUPP)
		return ret;
	all->reader_tried = true;
	return 0;
}

/*
 * Open what is pinned in at->dir. Pins are not whole while an attachment is being made or
 * removed, and just before and after that no mark says so: only what stays so is damaged.
 */
static int status_open_pinned(struct status_item *item, struct attachment *at, bool *gone,
			      struct reuseport_error *err)
{
	int ret, made;

	for (int tries = 0;; tries++) {
		ret = attachment_open_pins(at, err);
		item->status.damaged = ret == -ENOENT || ret == -EPROTO;
		if (!item->status.damaged)
			return ret;
		made = attachment_is_being_made(at->dir);
		*gone = made > 0 || pin_dir_is_gone(at->dir);
		if (made < 0)
			return fail(err, -made, "cannot examine %s: %s", at->pin, strerror(-made));
		if (*gone || tries == DAMAGED_TRIES)
			return 0;
		steering_close(&at->steering);
		clock_sleep_ms(DAMAGED_PAUSE_MS);
	}
}

/* Describe what is pinned in at->dir. */
static int status_read_pinned(struct status_collection *all, struct status_item *item,
			      struct attachment *at, bool *gone)
{
	int ret = status_open_pinned(item, at, gone, all->err);

	if (item->status.damaged)
		return ret;
	if (!ret)
		ret = attachment_map(at, all->err);
	if (!ret)
		ret = status_open_reader(all);
	return ret ? ret : status_describe(item, at, all->reader, all->err);
}

static int status_add_pinned(void *ctx, const struct pins_entry *pinned)
{
	struct status_collection *all = ctx;
	struct status_item *item;
	struct reuseport_key key;
	struct attachment at;
	bool gone = false;
	int ret = attachment_is_selected(&all->filter, pinned, &key, all->err), locked = 0;

	if (ret <= 0)
		return ret;
	if (pinned->dir >= 0)
		locked = pins_locked(pinned->dir);
	if (locked < 0)
		return fail(all->err, -locked, "cannot examine %s: %s", pinned->path,
			    strerror(-locked));
	item = status_add(all->list, &key, pinned->path, locked);
	if (!item)
		return fail(all->err, ENOMEM, "out of memory");
	if (pinned->dir < 0) {
		item->status.damaged = true;
		return 0;
	}
	attachment_init(&at, &key);
	snprintf(at.pin, sizeof(at.pin), "%s", pinned->path);
	at.dir = pinned->dir;
	ret = status_read_pinned(all, item, &at, &gone);
	at.dir = -1; /* the caller closes it */
	attachment_close(&at);
	if (gone)
		item_list_drop(&all->list->items);
	return ret;
}

static int status_compare(const void *a, const void *b)
{
	return group_key_compare(&((const struct status_item *)a)->key,
				 &((const struct status_item *)b)->key);
}

int reuseport_get_status(const struct reuseport_filter *filter, struct reuseport_status_list **list,
			 struct reuseport_error *err)
{
	struct status_collection all = { .err = err };
	int ret = group_key_filter_init(&all.filter, filter, err);

	if (!ret && !list)
		ret = fail(err, EINVAL, "status needs a place for the list");
	if (!ret)
		ret = caps_require("read the status", err);
	if (ret)
		return ret;
	all.list = calloc(1, sizeof(*all.list));
	if (!all.list)
		return fail(err, ENOMEM, "out of memory");
	ret = pins_for_each(status_add_pinned, &all, err);
	group_iter_close(all.reader);
	if (ret) {
		reuseport_status_list__free(all.list);
		return ret;
	}
	item_list_sort(&all.list->items, status_compare);
	*list = all.list;
	return 0;
}

int reuseport_group__status(const struct reuseport_group *group,
			    struct reuseport_status_list **list, struct reuseport_error *err)
{
	struct reuseport_status_list *made;
	struct group_iter_bpf *reader = NULL;
	struct status_item *item;
	int ret = handle_owner_check(group, err);

	if (!ret && !list)
		ret = fail(err, EINVAL, "status needs a place for the list");
	if (ret)
		return ret;
	made = calloc(1, sizeof(*made));
	item = made ? status_add(made, &group->at.key, group->at.pin, true) : NULL;
	if (!group->reader)
		ret = group_iter_open(&reader, err);
	if (!ret || ret == -EOPNOTSUPP)
		ret = item ? status_describe(item, &group->at,
					     group->reader ? group->reader : reader, err) :
			     fail(err, ENOMEM, "out of memory");
	group_iter_close(reader);
	if (ret) {
		reuseport_status_list__free(made);
		return ret;
	}
	*list = made;
	return 0;
}

/* ------------------------------------------------------------------- list */

size_t reuseport_status_list__count(const struct reuseport_status_list *list)
{
	return list ? list->items.n : 0;
}

const struct reuseport_status *reuseport_status_list__get(const struct reuseport_status_list *list,
							  size_t i)
{
	const struct status_item *item = list ? item_list_get(&list->items, i) : NULL;

	return item ? &item->status : NULL;
}

static void status_free_worker(void *worker)
{
	free(((struct status_worker *)worker)->pids);
}

static void status_free_item(void *item)
{
	item_list_clear(&((struct status_item *)item)->workers, status_free_worker);
}

void reuseport_status_list__free(struct reuseport_status_list *list)
{
	if (!list)
		return;
	item_list_clear(&list->items, status_free_item);
	free(list);
}
