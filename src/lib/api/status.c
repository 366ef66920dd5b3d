// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* reuseport_status(): the state of each attachment at this moment. */
#include <bpf/bpf.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "error.h"
#include "host/proc.h"
#include "host/caps.h"
#include "keeper/degraded.h"
#include "sockets/group_iter.h"
#include "sockets/sock_diag.h"
#include "sockets/socket_owners.h"
#include "state/attachment.h"
#include "state/counters.h"
#include "state/flow_table.h"
#include "state/generation.h"
#include "state/read_policy.h"

const char *reuseport_state_name(unsigned int state)
{
	static const char *const names[] = { "free", "joining", "active", "draining", "leaving" };

	return state < sizeof(names) / sizeof(names[0]) ? names[state] : "unknown";
}

/* ---------------------------------------------------------------- workers */

static int status_copy_pids(struct reuseport_worker *worker, const struct socket_owner *first,
			    size_t n)
{
	worker->pids = calloc(n + 1, sizeof(*worker->pids));
	if (!worker->pids)
		return -ENOMEM;
	for (size_t i = 0; i < n; i++)
		worker->pids[i] = first[i].pid;
	worker->n_pids = n;
	return 0;
}

static int status_describe_worker(struct reuseport_worker *worker, const struct attachment *at,
				  unsigned int slot, const struct worker_entry *entry,
				  const struct sock_diag_socket *member,
				  const struct socket_owners *h)
{
	const struct socket_owner *first;
	size_t n = socket_owners_of(h, member->inode, &first);
	struct slot_counters now;

	if (counters_of_slot(at->steering.maps[MAP_COUNTERS], slot, &now))
		return -errno;
	*worker = (struct reuseport_worker){
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
	if (n)
		worker->pid = socket_owners_server(first, n)->pid;
	proc_comm(worker->pid, worker->comm);
	return status_copy_pids(worker, first, n);
}

/* Read the workers whose socket is in its slot right now: the kernel is the truth. */
static int status_read_workers(struct reuseport_status *status, const struct attachment *at,
			       const struct sock_diag_list *members, const struct socket_owners *h)
{
	int ret = 0;

	status->workers = calloc(members->n + 1, sizeof(*status->workers));
	if (!status->workers)
		return -ENOMEM;
	for (unsigned int slot = 0; !ret && slot < status->slots; slot++) {
		const struct worker_entry entry = at->view.workers[slot];
		const struct sock_diag_socket *member;

		if (entry.state == WORKER_FREE || status->n_workers == members->n)
			continue;
		member = sock_diag_find(members, entry.cookie);
		if (member && attachment_holds(at, slot, entry.cookie))
			ret = status_describe_worker(&status->workers[status->n_workers++], at,
						     slot, &entry, member, h);
	}
	status->unregistered = members->n - status->n_workers;
	return ret;
}

static int status_read_flows(struct reuseport_status *status, const struct map_view *view)
{
	uint64_t *by_slot, entered;

	status->flows = view->size.flows;
	status->idle_s = view->size.idle_ticks / flow_table_hz();
	if (!status->flows)
		return 0;
	by_slot = calloc(status->slots, sizeof(*by_slot));
	if (!by_slot)
		return -ENOMEM;
	entered = status->counters.flows;
	status->flows_occupied = flow_table_count(view, by_slot);
	for (size_t i = 0; i < status->n_workers; i++)
		status->workers[i].flows = by_slot[status->workers[i].slot];
	/* Flows may have been added since the counters were read. */
	if (entered > status->flows_occupied)
		status->counters.flows_evicted = entered - status->flows_occupied;
	free(by_slot);
	return 0;
}

static void status_describe_generations(struct reuseport_status *status,
					const struct map_view *view)
{
	const struct generations *g = generations_in_use(view);

	status->generations = (struct reuseport_generations){
		.phase = (enum reuseport_rollout_phase)g->phase,
		.serving = g->serving,
		.other = g->other,
	};
	status->admit_manual = plan_in_use(view)->flags & PLAN_ADMIT_MANUAL;
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

/* Return whether the group has the program; true where the kernel cannot tell. */
static bool status_is_attached(const struct reuseport_status *status, const struct netns_ref *ns,
			       const struct sock_diag_list *members)
{
	struct group_program present;

	if (!members->n)
		return false;
	if (group_iter_program_of(NULL, ns, status->key.proto, members->sockets[0].cookie, &present,
				  NULL))
		return true;
	return present.present && present.id == status->program_id;
}

/* ------------------------------------------------------------- attachment */

static int status_describe(struct reuseport_status *status, const struct attachment *at,
			   struct reuseport_error *err)
{
	struct netns_ref ns = { .inode = status->key.netns, .cookie = at->entry.netns_cookie };
	struct sock_diag_list members = { 0 };
	struct socket_owners owners = { 0 };
	int ret;

	read_policy(&status->rules, at);
	status->keeper_pid = at->entry.keeper_pid;
	status->slots = at->entry.slots;
	status->ways = degraded_modes(at);
	status_describe_generations(status, &at->view);
	status_describe_program(status, &at->steering);
	ret = sock_diag_members(&status->key, &ns, &members, err);
	if (ret && ret != -ENETDOWN)
		return ret;
	ret = socket_owners_scan_members(&members, &owners);
	if (!ret)
		ret = status_read_workers(status, at, &members, &owners);
	if (!ret)
		ret = counters_read(at->steering.maps[MAP_COUNTERS], at->steering.maps[MAP_TOTALS],
				    status->slots, &status->counters);
	if (!ret)
		ret = status_read_flows(status, &at->view);
	status->attached = status_is_attached(status, &ns, &members);
	free(owners.list);
	free(members.sockets);
	if (ret)
		return fail(err, -ret, "cannot read %s: %s", status->pin, strerror(-ret));
	return 0;
}

struct collection {
	struct group_key_filter filter;
	struct reuseport_status *list;
	size_t n;
	struct reuseport_error *err;
};

static int status_add(void *ctx, const char *path, const struct reuseport_key *key)
{
	struct collection *all = ctx;
	struct reuseport_status *status;
	struct attachment at;
	int ret = 0;

	if (!group_key_matches(&all->filter, key))
		return 0;
	status = realloc(all->list, (all->n + 1) * sizeof(*status));
	if (!status)
		return fail(all->err, ENOMEM, "out of memory");
	all->list = status;
	status = memset(&all->list[all->n++], 0, sizeof(*status));
	status->key = *key;
	netns_name_of(key->netns, status->netns_name, sizeof(status->netns_name));
	snprintf(status->pin, sizeof(status->pin), "%s", path);
	status->keeper_running = pins_locked(path);
	attachment_init(&at, key);
	snprintf(at.pin, sizeof(at.pin), "%s", path);
	status->damaged = attachment_open_pins(&at, NULL) != 0;
	/* It was detached meanwhile, or is not attached yet. */
	if (status->damaged && (access(path, F_OK) || attachment_is_being_made(path)))
		all->n--;
	else if (!status->damaged)
		ret = attachment_map(&at, all->err);
	if (!ret && !status->damaged)
		ret = status_describe(status, &at, all->err);
	attachment_close(&at);
	return ret;
}

static int status_by_key(const void *a, const void *b)
{
	return group_key_compare(&((const struct reuseport_status *)a)->key,
				 &((const struct reuseport_status *)b)->key);
}

int reuseport_status(const struct reuseport_filter *filter, struct reuseport_status **list,
		     size_t *n, struct reuseport_error *err)
{
	struct collection all = { .err = err };
	int ret;

	ret = group_key_filter_init(&all.filter, filter, err);
	if (!ret)
		ret = caps_require("read the status", err);
	if (!ret)
		ret = pins_for_each(status_add, &all, err);
	if (ret) {
		reuseport_status__free(all.list, all.n);
		return ret;
	}
	if (all.n) {
		qsort(all.list, all.n, sizeof(*all.list), status_by_key);
	} else {
		free(all.list); /* it may have had one that was not attached yet */
		all.list = NULL;
	}
	*list = all.list;
	*n = all.n;
	return 0;
}

void reuseport_status__free(struct reuseport_status *list, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		for (size_t j = 0; j < list[i].n_workers; j++)
			free(list[i].workers[j].pids);
		free(list[i].workers);
	}
	free(list);
}
