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
	const struct attachment *one;
	struct sock_diag_list members;
	struct queue_depth_bpf *queues; /* TCP */
	uint64_t *flows;                /* by slot; NULL: they are not sticky */
};

static int open_look(struct look *look, const struct attachment *one, struct reuseport_error *err)
{
	struct netns_ref ns = { .inode = one->key.netns, .cookie = one->entry.netns_cookie };
	int ret;

	*look = (struct look){ .one = one };
	ret = sock_diag_members(&one->key, &ns, &look->members, err);
	if (ret)
		return ret;
	if (one->key.proto == IPPROTO_TCP)
		return queue_depth_open(&look->queues, one->steering.maps[MAP_SOCKETS], err);
	if (!one->entry.flows)
		return 0;
	look->flows = calloc(one->entry.slots, sizeof(*look->flows));
	if (!look->flows)
		return fail(err, ENOMEM, "out of memory");
	flows_count(&one->mapped, look->flows);
	return 0;
}

static void close_look(struct look *look)
{
	free(look->members.sockets);
	queue_depth_close(look->queues);
	free(look->flows);
}

static int describe(const struct look *look, unsigned int slot, struct reuseport_left *left)
{
	const struct worker_entry *entry = &look->one->mapped.workers[slot];
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

static bool gets_nothing_new(const struct attachment *one, unsigned int slot)
{
	return attachment_has_worker(one, slot) &&
	       generation_state(generations(&one->mapped), &one->mapped.workers[slot]) >=
		       WORKER_DRAINING;
}

static int look_at(const struct attachment *one, const struct worker_name *name, struct lefts *all,
		   struct reuseport_error *err)
{
	struct look look;
	int ret = open_look(&look, one, err);

	for (unsigned int slot = 0; !ret && slot < one->entry.slots; slot++) {
		struct reuseport_left *grown;

		if (!gets_nothing_new(one, slot) || (name && !worker_matches(name, one, slot)))
			continue;
		grown = realloc(all->list, (all->n + 1) * sizeof(*grown));
		if (grown) {
			all->list = grown;
			ret = describe(&look, slot, &grown[all->n++]);
		} else {
			ret = -ENOMEM;
		}
		if (ret)
			fail(err, -ret, "cannot read what is left: %s", strerror(-ret));
	}
	close_look(&look);
	return ret;
}

int reuseport_left(const struct reuseport_filter *filter, const char *worker,
		   struct reuseport_left **left, size_t *n_left, struct reuseport_error *err)
{
	struct worker_name name;
	struct lefts all = { 0 };
	struct attachment *list;
	size_t n;
	int ret = worker ? worker_parse(worker, &name, err) : 0;

	if (!ret)
		ret = caps_require("read what is left", err);
	if (!ret)
		ret = attachments_open(filter, &list, &n, err);
	if (ret)
		return ret;
	if (worker)
		ret = worker_find(&name, list, n, err);
	for (size_t i = 0; !ret && i < n; i++)
		ret = look_at(&list[i], worker ? &name : NULL, &all, err);
	/* Who has gone has nothing left. */
	if (ret == -ENOENT)
		ret = 0;
	attachments_close(list, n);
	if (ret) {
		free(all.list);
		return ret;
	}
	*left = all.list;
	*n_left = all.n;
	return 0;
}
