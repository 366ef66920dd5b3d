// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* Left: what still waits at the workers that get nothing new. */
#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "api/worker_selector.h"
#include "error.h"
#include "host/caps.h"
#include "sockets/queue_depth.h"
#include "sockets/sock_diag.h"
#include "state/attachment.h"
#include "state/flow_table.h"
#include "state/generation.h"

struct lefts {
	struct reuseport_left *list;
	size_t n;
};

/* What the looks into one attachment share. */
struct look {
	const struct attachment *at;
	struct sock_diag_list members;
	struct queue_depth_bpf *queues; /* TCP */
	uint64_t *flows;                /* by slot; NULL: they are not sticky */
};

static int drain_look_open(struct look *look, const struct attachment *at,
			   struct reuseport_error *err)
{
	struct netns_ref ns = { .inode = at->key.netns, .cookie = at->entry.netns_cookie };
	int ret;

	*look = (struct look){ .at = at };
	ret = sock_diag_members(&at->key, &ns, &look->members, err);
	if (ret)
		return ret;
	if (at->key.proto == IPPROTO_TCP)
		return queue_depth_open(&look->queues, at->steering.maps[MAP_SOCKETS], err);
	if (!at->entry.flows)
		return 0;
	look->flows = calloc(at->entry.slots, sizeof(*look->flows));
	if (!look->flows)
		return fail(err, ENOMEM, "out of memory");
	flow_table_count(&at->view, look->flows);
	return 0;
}

static void drain_look_close(struct look *look)
{
	free(look->members.sockets);
	queue_depth_close(look->queues);
	free(look->flows);
}

static int drain_look_describe(const struct look *look, unsigned int slot,
			       struct reuseport_left *left)
{
	const struct worker_entry *entry = &look->at->view.workers[slot];
	const struct sock_diag_socket *member = sock_diag_find(&look->members, entry->cookie);
	struct queue_depth depth;

	*left = (struct reuseport_left){
		.slot = slot,
		.cookie = entry->cookie,
		.pid = entry->pid,
		.queue = member ? member->queue : 0,
		.flows = look->flows ? look->flows[slot] : 0,
	};
	if (!look->queues)
		return 0;
	if (queue_depth_read(look->queues, slot, &depth))
		return -errno;
	if (depth.cookie == entry->cookie) {
		left->queue = depth.queue;
		left->half_open = depth.half_open;
	}
	return 0;
}

static bool drain_is_draining(const struct attachment *at, unsigned int slot)
{
	return attachment_has_worker(at, slot) &&
	       generation_state(generations_in_use(&at->view), &at->view.workers[slot]) >=
		       WORKER_DRAINING;
}

static int drain_status_of(const struct attachment *at, const struct worker_selector *name,
			   struct lefts *all, struct reuseport_error *err)
{
	struct look look;
	int ret = drain_look_open(&look, at, err);

	for (unsigned int slot = 0; !ret && slot < at->entry.slots; slot++) {
		struct reuseport_left *grown;

		if (!drain_is_draining(at, slot) ||
		    (name && !worker_selector_matches(name, at, slot)))
			continue;
		grown = realloc(all->list, (all->n + 1) * sizeof(*grown));
		if (grown) {
			all->list = grown;
			ret = drain_look_describe(&look, slot, &grown[all->n++]);
		} else {
			ret = -ENOMEM;
		}
		if (ret)
			fail(err, -ret, "cannot read what is left: %s", strerror(-ret));
	}
	drain_look_close(&look);
	return ret;
}

int reuseport_left(const struct reuseport_filter *filter, const char *worker,
		   struct reuseport_left **left, size_t *n_left, struct reuseport_error *err)
{
	struct worker_selector name;
	struct lefts all = { 0 };
	struct attachment *list;
	size_t n;
	int ret = worker ? worker_selector_parse(worker, &name, err) : 0;

	if (!ret)
		ret = caps_require("read what is left", err);
	if (!ret)
		ret = attachment_open_all(filter, &list, &n, err);
	if (ret)
		return ret;
	if (worker)
		ret = worker_selector_find(&name, list, n, err);
	for (size_t i = 0; !ret && i < n; i++)
		ret = drain_status_of(&list[i], worker ? &name : NULL, &all, err);
	/* Who has gone has nothing left. */
	if (ret == -ENOENT)
		ret = 0;
	attachment_close_all(list, n);
	if (ret) {
		free(all.list);
		return ret;
	}
	*left = all.list;
	*n_left = all.n;
	return 0;
}
