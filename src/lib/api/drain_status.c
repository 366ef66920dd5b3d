// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* reuseport_left(): the work that draining workers still have. */
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

struct drain_list {
	struct reuseport_left *list;
	size_t n;
};

/* What is read once for an attachment. */
struct drain_source {
	const struct attachment *at;
	struct sock_diag_list members;
	struct queue_depth_bpf *queues; /* TCP */
	uint64_t *flows;                /* by slot; NULL: flows are not sticky */
};

static int drain_source_open(struct drain_source *source, const struct attachment *at,
			     struct reuseport_error *err)
{
	struct netns_ref ns = { .inode = at->key.netns, .cookie = at->entry.netns_cookie };
	int ret;

	*source = (struct drain_source){ .at = at };
	ret = sock_diag_members(&at->key, &ns, &source->members, err);
	if (ret)
		return ret;
	if (at->key.proto == IPPROTO_TCP)
		return queue_depth_open(&source->queues, at->steering.maps[MAP_SOCKETS], err);
	if (!at->entry.flows)
		return 0;
	source->flows = calloc(at->entry.slots, sizeof(*source->flows));
	if (!source->flows)
		return fail(err, ENOMEM, "out of memory");
	flow_table_count(&at->view, source->flows);
	return 0;
}

static void drain_source_close(struct drain_source *source)
{
	free(source->members.sockets);
	queue_depth_close(source->queues);
	free(source->flows);
}

static int drain_status_describe(const struct drain_source *source, unsigned int slot,
				 struct reuseport_left *left)
{
	const struct worker_entry *entry = &source->at->view.workers[slot];
	const struct sock_diag_socket *member = sock_diag_find(&source->members, entry->cookie);
	struct queue_depth depth;

	*left = (struct reuseport_left){
		.slot = slot,
		.cookie = entry->cookie,
		.pid = entry->pid,
		.queue = member ? member->queue : 0,
		.flows = source->flows ? source->flows[slot] : 0,
	};
	if (!source->queues)
		return 0;
	if (queue_depth_read(source->queues, slot, &depth))
		return -errno;
	if (depth.cookie == entry->cookie) {
		left->queue = depth.queue;
		left->half_open = depth.half_open;
	}
	return 0;
}

/* Return whether the slot has a worker that gets no new work. */
static bool drain_status_has(const struct attachment *at, unsigned int slot)
{
	return attachment_has_worker(at, slot) &&
	       generation_state(generations_in_use(&at->view), &at->view.workers[slot]) >=
		       WORKER_DRAINING;
}

/* Add the draining workers of one attachment, or those of them that are selected. */
static int drain_status_of(const struct attachment *at, const struct worker_selector *selector,
			   struct drain_list *all, struct reuseport_error *err)
{
	struct drain_source source;
	int ret = drain_source_open(&source, at, err);

	for (unsigned int slot = 0; !ret && slot < at->entry.slots; slot++) {
		struct reuseport_left *grown;

		if (!drain_status_has(at, slot) ||
		    (selector && !worker_selector_matches(selector, at, slot)))
			continue;
		grown = realloc(all->list, (all->n + 1) * sizeof(*grown));
		if (grown) {
			all->list = grown;
			ret = drain_status_describe(&source, slot, &grown[all->n++]);
		} else {
			ret = -ENOMEM;
		}
		if (ret)
			fail(err, -ret, "cannot read the drain status: %s", strerror(-ret));
	}
	drain_source_close(&source);
	return ret;
}

int reuseport_left(const struct reuseport_filter *filter, const char *worker,
		   struct reuseport_left **left, size_t *n_left, struct reuseport_error *err)
{
	struct worker_selector selector;
	struct drain_list all = { 0 };
	struct attachment *list;
	size_t n;
	int ret = worker ? worker_selector_parse(worker, &selector, err) : 0;

	if (!ret)
		ret = caps_require("read the drain status", err);
	if (!ret)
		ret = attachment_open_all(filter, &list, &n, err);
	if (ret)
		return ret;
	if (worker)
		ret = worker_selector_find(&selector, list, n, err);
	for (size_t i = 0; !ret && i < n; i++)
		ret = drain_status_of(&list[i], worker ? &selector : NULL, &all, err);
	/* A worker that has left has no work. */
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
