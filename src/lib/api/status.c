// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* reuseport_get_status(): what holds for each attachment at this moment. */
#include <bpf/bpf.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/status_item.h"
#include "clock.h"
#include "error.h"
#include "host/caps.h"
#include "keeper/degraded.h"
#include "keeper/handle.h"
#include "keeper/handle_owner.h"
#include "state/hook_iter.h"
#include "state/ages.h"
#include "state/attachment.h"
#include "state/counters.h"
#include "state/flow_table.h"
#include "state/generation.h"
#include "state/kept.h"
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
	item->status.rollout_ns = ages_of_group(view, AGE_ROLLOUT)->since_ns;
	item->status.looked_ns = ages_of_group(view, AGE_LOOK)->since_ns;
	item->status.left_out_ns = ages_of_group(view, AGE_LEFT_OUT)->since_ns;
	item->status.admit_manual = plan_in_use(view)->flags & PLAN_ADMIT_MANUAL;
}

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

/* ------------------------------------------------------------- attachment */

static int status_describe(struct status_item *item, const struct attachment *at,
			   struct group_snapshot *snapshot, struct reuseport_error *err)
{
	int ret;

	read_policy(&item->policy, at);
	item->status.keeper_pid = at->entry.keeper_pid;
	item->status.slots = at->entry.slots;
	item->modes = degraded_modes(at);
	status_describe_generations(item, &at->view);
	status_describe_program(&item->status, &at->steering);
	ret = status_read_members(item, at, snapshot, err);
	if (ret)
		return ret;
	ret = status_read_counters(item, at);
	if (!ret)
		ret = status_read_flows(item, &at->view);
	if (ret)
		return fail(err, -ret, "cannot read %s: %s", item->status.pin, strerror(-ret));
	return 0;
}

/* Copy the name that "ip netns" has for the namespace of the last item. All names are looked at
 * for that, so once for all groups of one namespace. */
static void status_name_netns(struct status_item *item, const struct item_list *items)
{
	for (size_t i = 0; i + 1 < items->n; i++) {
		const struct status_item *before = items->items[i];

		if (before->key.netns != item->key.netns)
			continue;
		memcpy(item->status.netns_name, before->status.netns_name,
		       sizeof(item->status.netns_name));
		return;
	}
	netns_name_of(item->key.netns, item->status.netns_name, sizeof(item->status.netns_name));
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
	status_name_netns(item, &list->items);
	snprintf(item->status.pin, sizeof(item->status.pin), "%s", pin);
	item->status.keeper_running = keeper_running;
	return item;
}

struct status_collection {
	struct group_key_filter filter;
	struct group_snapshot snapshot; /* its reader is opened when it is needed */
	bool reader_tried;
	struct reuseport_status_list *list;
	struct reuseport_error *err;
};

/* Load the iterators when the first attachment needs them. */
static int status_open_reader(struct status_collection *all)
{
	int ret = 0;

	if (!all->reader_tried)
		ret = hook_iter_open(&all->snapshot.reader, all->err);
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
	return ret ? ret : status_describe(item, at, &all->snapshot, all->err);
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
		locked = kept_by_process(pinned->dir);
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
	all.snapshot.port = all.filter.want.port;
	ret = pins_for_each(status_add_pinned, &all, err);
	if (!ret)
		ret = status_read_owners(&all.list->items, err);
	group_iter_close(all.snapshot.reader);
	group_snapshot_free(&all.snapshot);
	if (ret) {
		reuseport_status_list__free(all.list);
		return ret;
	}
	item_list_sort(&all.list->items, status_compare);
	*list = all.list;
	return 0;
}

/* Describe the group of a handle, by the handle's iterators if it has them. */
static int status_describe_kept(struct status_item *item, const struct reuseport_group *group,
				struct group_snapshot *snapshot, struct reuseport_error *err)
{
	struct group_iter *own = NULL;
	int ret = group->reader ? 0 : hook_iter_open(&own, err);

	if (ret && ret != -EOPNOTSUPP)
		return ret;
	snapshot->reader = group->reader ? group->reader : own;
	snapshot->port = group->at.key.port;
	ret = status_describe(item, &group->at, snapshot, err);
	group_iter_close(own);
	return ret;
}

int reuseport_group__status(const struct reuseport_group *group,
			    struct reuseport_status_list **list, struct reuseport_error *err)
{
	struct group_snapshot snapshot = { 0 };
	struct reuseport_status_list *made;
	struct status_item *item;
	int ret = handle_owner_check(group, err);

	if (!ret && !list)
		ret = fail(err, EINVAL, "status needs a place for the list");
	if (ret)
		return ret;
	made = calloc(1, sizeof(*made));
	item = made ? status_add(made, &group->at.key, group->at.pin, true) : NULL;
	if (!item) {
		reuseport_status_list__free(made);
		return fail(err, ENOMEM, "out of memory");
	}
	ret = status_describe_kept(item, group, &snapshot, err);
	group_snapshot_free(&snapshot);
	if (!ret)
		ret = status_read_owners(&made->items, err);
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
	item_list_clear(&((struct status_item *)item)->unsteered, NULL);
	item_list_clear(&((struct status_item *)item)->left_out, status_free_worker);
}

void reuseport_status_list__free(struct reuseport_status_list *list)
{
	if (!list)
		return;
	item_list_clear(&list->items, status_free_item);
	free(list);
}
