// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* Pending: events of sockets that could not be handled yet, and are tried again. */
#include <errno.h>
#include <string.h>

#include "clock.h"
#include "keeper/membership.h"
#include "keeper/pending.h"
#include "keeper/slots.h"

#define TRIES_MAX 100
#define SEARCHES_MAX 5

/* Forget what is pending for a socket: a newer event counts. */
static void pending_drop(struct reuseport_group *group, uint64_t cookie)
{
	unsigned int kept = 0;

	for (unsigned int i = 0; i < group->loop.n_pending; i++)
		if (group->loop.pending[i].cookie != cookie)
			group->loop.pending[kept++] = group->loop.pending[i];
	group->loop.n_pending = kept;
}

/* Return whether another socket was not found in that process. It has more descriptors than
 * are looked at there, so each vain look would take long. */
static bool pending_lost_in(const struct reuseport_group *group, uint32_t pid)
{
	for (unsigned int i = 0; i < group->loop.n_pending; i++)
		if (group->loop.pending[i].lost && group->loop.pending[i].pid == pid)
			return true;
	return false;
}

/* Return -EAGAIN if the event must stay pending. */
static int pending_handle(struct reuseport_group *group, struct pending *one)
{
	int ret;

	if (one->leaving)
		return membership_leave(group, one->cookie);
	if (pending_lost_in(group, one->pid))
		ret = -ENOENT;
	else
		ret = membership_join(group, one->cookie, one->inode, one->pid);
	one->lost = ret == -ENOENT;
	return one->lost ? -EAGAIN : ret;
}

/* Wait for the search that runs, or have one begun by the resync of this call. Return
 * -EAGAIN until the socket has a slot. */
static int pending_search(struct reuseport_group *group, struct pending *one)
{
	if (slots_find(group, one->cookie) != SLOT_NONE)
		return 0;
	if (!owner_search_runs(&group->search)) {
		one->tries += TRIES_MAX / SEARCHES_MAX - 1;
		group->refused = 0;
		group->loop.resync_due = true;
	}
	return -EAGAIN;
}

/* Return whether the event must stay pending. */
static bool pending_try(struct reuseport_group *group, struct pending *one)
{
	int ret = one->lost ? pending_search(group, one) : pending_handle(group, one);

	if (ret != -EAGAIN)
		return false;
	if (one->lost && owner_search_runs(&group->search))
		return true;
	if (++one->tries < TRIES_MAX)
		return true;
	group->loop.resync_due = true;
	return false;
}

void pending_begin(struct reuseport_group *group, const struct socket_event *event)
{
	struct pending one = {
		.cookie = event->cookie,
		.inode = event->inode,
		.pid = event->pid,
		.leaving = event->kind == SOCKET_EVENT_LEAVE,
	};

	pending_drop(group, event->cookie);
	if (pending_handle(group, &one) != -EAGAIN)
		return;
	if (group->loop.n_pending < PENDING_MAX)
		group->loop.pending[group->loop.n_pending++] = one;
	else
		group->loop.resync_due = true;
}

void pending_retry(struct reuseport_group *group)
{
	struct event_loop *loop = &group->loop;

	for (unsigned int n = loop->n_pending; n; n--) {
		struct pending one = loop->pending[0];

		/* The next ones come to the front, in case that there is no time for them. */
		memmove(loop->pending, loop->pending + 1, --loop->n_pending * sizeof(one));
		if (pending_try(group, &one))
			loop->pending[loop->n_pending++] = one;
		if (clock_ns(CLOCK_MONOTONIC) >= loop->call_until) {
			loop->more = true;
			return;
		}
	}
}
