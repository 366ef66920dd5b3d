// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* reuseport_get_drain_status(): what drained workers still have. */
#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "api/worker_selector.h"
#include "error.h"
#include "host/caps.h"
#include "item_list.h"
#include "keeper/handle.h"
#include "keeper/handle_owner.h"
#include "sockets/queue_depth.h"
#include "sockets/sock_diag.h"
#include "state/attachment.h"
#include "state/flow_table.h"
#include "state/generation.h"

/* The public list. */
struct reuseport_drain_list {
	struct item_list items; /* of struct reuseport_drain_status */
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

static int drain_status_describe(const struct drain_source *source,
				 const struct worker_selector *selector, unsigned int slot,
				 struct reuseport_drain_status *status)
{
	const struct worker_entry *entry = &source->at->view.workers[slot];
	const struct sock_diag_socket *member = sock_diag_find(&source->members, entry->cookie);
	struct queue_depth depth;

	*status = (struct reuseport_drain_status){
		.slot = slot,
		.cookie = entry->cookie,
		.pid = worker_selector_pid(selector, entry),
		.queue = member ? member->queue : 0,
		.flows = source->flows ? source->flows[slot] : 0,
	};
	if (!source->queues)
		return 0;
	if (queue_depth_read(source->queues, slot, &depth))
		return -errno;
	if (depth.cookie == entry->cookie) {
		status->queue = depth.queue;
		status->half_open = depth.half_open;
	}
	return 0;
}

static bool drain_status_has(const struct attachment *at, unsigned int slot)
{
	return attachment_has_worker(at, slot) &&
	       generation_state(generations_in_use(&at->view), &at->view.workers[slot]) >=
		       WORKER_DRAINING;
}

static int drain_status_of(const struct attachment *at, const struct worker_selector *selector,
			   struct reuseport_drain_list *list, struct reuseport_error *err)
{
	struct drain_source source;
	int ret = drain_source_open(&source, at, err);

	for (unsigned int slot = 0; !ret && slot < at->entry.slots; slot++) {
		struct reuseport_drain_status *status;

		if (!drain_status_has(at, slot) || !worker_selector_matches(selector, at, slot))
			continue;
		status = item_list_add(&list->items, sizeof(*status));
		ret = status ? drain_status_describe(&source, selector, slot, status) : -ENOMEM;
		if (ret)
			fail(err, -ret, "cannot read what a drained worker still has: %s",
			     strerror(-ret));
	}
	drain_source_close(&source);
	return ret;
}

static bool drain_is_by_cookie(const struct worker_selector *selector)
{
	bool is = !selector->all;

	for (size_t i = 0; i < selector->names.n; i++)
		is &= selector->names.names[i].kind == WORKER_BY_COOKIE;
	return is;
}

static int drain_status_of_all(const struct attachment *list, size_t n,
			       struct worker_selector *selector, struct reuseport_drain_list **out,
			       struct reuseport_error *err)
{
	struct reuseport_drain_list *made = calloc(1, sizeof(*made));
	int ret = made ? 0 : fail(err, ENOMEM, "out of memory");

	/* Who asks by cookie asks often, and knows the processes. */
	if (!ret && !drain_is_by_cookie(selector))
		ret = worker_selector_look(selector, list, n, err);
	if (!ret)
		ret = worker_selector_find(selector, list, n, err);

	/* A worker that has gone has nothing. */
	if (ret == -ENOENT)
		ret = 0;
	for (size_t i = 0; !ret && i < n; i++)
		ret = drain_status_of(&list[i], selector, made, err);
	if (ret) {
		reuseport_drain_list__free(made);
		return ret;
	}
	*out = made;
	return 0;
}

int reuseport_get_drain_status(const struct reuseport_filter *filter, const char *worker,
			       struct reuseport_drain_list **out, struct reuseport_error *err)
{
	struct worker_selector selector;
	struct attachment *list;
	size_t n;
	int ret = worker_selector_parse(worker, &selector, err);

	if (ret)
		return ret;
	ret = out ? caps_require("read what drained workers still have", err) :
		    fail(err, EINVAL, "drain status needs a place for the list");
	if (!ret)
		ret = attachment_open_all(filter, &list, &n, err);
	if (ret) {
		worker_selector_free(&selector);
		return ret;
	}
	ret = drain_status_of_all(list, n, &selector, out, err);
	worker_selector_free(&selector);
	attachment_close_all(list, n);
	return ret;
}

int reuseport_group__drain_status(const struct reuseport_group *group, int fd,
				  struct reuseport_drain_list **out, struct reuseport_error *err)
{
	struct worker_selector selector;
	int ret = handle_owner_check(group, err);

	if (!ret && !out)
		ret = fail(err, EINVAL, "drain status needs a place for the list");
	if (!ret)
		ret = worker_selector_of_fd(fd, &selector, err);
	if (ret)
		return ret;
	ret = drain_status_of_all(&group->at, 1, &selector, out, err);
	worker_selector_free(&selector);
	return ret;
}

size_t reuseport_drain_list__count(const struct reuseport_drain_list *list)
{
	return list ? list->items.n : 0;
}

const struct reuseport_drain_status *
reuseport_drain_list__get(const struct reuseport_drain_list *list, size_t i)
{
	return list ? item_list_get(&list->items, i) : NULL;
}

void reuseport_drain_list__free(struct reuseport_drain_list *list)
{
	if (!list)
		return;
	item_list_clear(&list->items, NULL);
	free(list);
}
