// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* Pending: sockets that were bound and are not in their group yet. */
#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>

#include "clock.h"
#include "host/look.h"
#include "keeper/join.h"
#include "keeper/pending.h"
#include "keeper/slots.h"
#include "sockets/sock_diag.h"

#define SEARCHES_MAX 5
#define STEP (CLOCK_MS / 2)    /* between two looks, */
#define STEADY (50 * CLOCK_MS) /* for that long; then a part of the time that has passed, */
#define PART 4
#define CONNECTED (50 * CLOCK_MS)
#define LONGEST (10000 * CLOCK_MS) /* for that long */

/* Return whether another socket was not found in that process. It has more descriptors than
 * are looked at there, so each vain look would take long. */
static bool pending_lost_in(const struct reuseport_group *group, uint32_t pid)
{
	for (unsigned int i = 0; i < group->loop.n_pending; i++)
		if (group->loop.pending[i].lost && group->loop.pending[i].pid == pid)
			return true;
	return false;
}

/* Wait for the search that runs, or have one begun by the resync of this call. Return
 * -EAGAIN until the socket has a slot, or is not worth another search. */
static int pending_search(struct reuseport_group *group, struct pending *one)
{
	if (owner_search_runs(&group->search))
		return -EAGAIN;
	if (one->searches++ == SEARCHES_MAX)
		return 0;
	group->refused = 0;
	group->loop.resync_due = true;
	return -EAGAIN;
}

/* Make room for one: the slow resync finds the socket that has waited longest. */
static void pending_drop_oldest(struct reuseport_group *group)
{
	struct event_loop *loop = &group->loop;
	unsigned int oldest = 0;

	for (unsigned int i = 1; i < loop->n_pending; i++)
		if (loop->pending[i].since < loop->pending[oldest].since)
			oldest = i;
	loop->pending[oldest] = loop->pending[--loop->n_pending];
	loop->resync_due = true;
}

static void pending_add(struct reuseport_group *group, const struct pending *one)
{
	if (group->loop.n_pending == PENDING_MAX)
		pending_drop_oldest(group);
	group->loop.pending[group->loop.n_pending++] = *one;
}

/* Look at it again later, unless it has waited for long. */
static void pending_again(struct reuseport_group *group, struct pending *one)
{
	uint64_t now = clock_ns(CLOCK_MONOTONIC), age = now - one->since;

	one->look_at = now + (age < STEADY ? STEP : age / PART);
	if (age < LONGEST)
		pending_add(group, one);
}

void pending_begin(struct reuseport_group *group, const struct socket_event *event)
{
	const uint64_t now = clock_ns(CLOCK_MONOTONIC);
	const struct pending one = {
		.cookie = event->cookie,
		.inode = event->inode,
		.pid = event->pid,
		.since = now,
		.look_at = now,
	};

	if (!group->added_only)
		pending_add(group, &one);
}

/* ------------------------------------------------------------------ joins */

/* A UDP socket may be connected right after it was bound: then it is to lose its slot. */
static void pending_see_again(struct reuseport_group *group)
{
	uint64_t at = clock_ns(CLOCK_MONOTONIC) + CONNECTED;

	if (group->at.key.proto == IPPROTO_UDP && at < group->loop.resync_at)
		group->loop.resync_at = at;
}

/* Take what came of the sockets that were joining. */
static void pending_end_joins(struct reuseport_group *group)
{
	struct join_batch *batch = group->loop.joining;

	for (size_t i = 0; i < batch->n; i++) {
		struct join *join = &batch->joins[i];

		if (!join->ret) {
			group->loop.last = join->at;
			pending_see_again(group);
		}
		join->event.lost = join->ret == -ENOENT;
		/* It has MPTCP, as in pending_join(). */
		group->loop.resync_due |= join->ret == -EPROTONOSUPPORT;
		if (join->event.lost || join->ret == -EAGAIN || join->ret == -ESTALE)
			pending_again(group, &join->event);
	}
	join_batch_free(batch);
	group->loop.joining = NULL;
}

void pending_finish(struct reuseport_group *group)
{
	struct join_batch *batch = group->loop.joining;

	if (!batch)
		return;
	while (!join_batch_step(batch))
		join_batch_wait(batch);
	pending_end_joins(group);
}

static int pending_join(struct reuseport_group *group, struct join_batch *batch,
			const struct sock_diag_list *members, const struct pending *one)
{
	const struct sock_diag_socket *member = sock_diag_find(members, one->cookie);
	struct reuseport_error error;
	int ret;

	/* It does not listen yet, or is of another group. */
	if (!member || !member->inode)
		return -EAGAIN;
	/* It never can. The search that the resync begins says so. */
	if (member->mptcp) {
		group->loop.resync_due = true;
		return 0;
	}
	batch->joins[batch->n].event = *one;
	ret = join_batch_add_of(batch, one->cookie, member->inode, one->pid);
	if (ret == -ENOSPC && !group->full_logged) {
		group->full_logged = true;
		join_explain_full(group, &error);
		handle_log(group, LOG_ERR, "%s", error.text);
	}
	return ret == -ENOSPC ? 0 : ret ? -EAGAIN : 0;
}

/* Return -EAGAIN if the socket must stay pending. */
static int pending_try(struct reuseport_group *group, struct join_batch *batch,
		       const struct sock_diag_list *members, struct pending *one)
{
	unsigned int slot = slots_find(group, one->cookie);

	if (slot != SLOT_NONE)
		return group->slots[slot].reserved ? -EAGAIN : 0;
	one->lost |= pending_lost_in(group, one->pid);
	return one->lost ? pending_search(group, one) : pending_join(group, batch, members, one);
}

/* Try those that are due, until the batch is full. */
static void pending_try_due(struct reuseport_group *group, struct join_batch *batch, size_t max,
			    const struct sock_diag_list *members)
{
	struct event_loop *loop = &group->loop;

	for (unsigned int n = loop->n_pending; n && batch->n < max; n--) {
		struct pending one = loop->pending[0];
		bool due = one.look_at <= clock_ns(CLOCK_MONOTONIC);

		/* The next ones come to the front, in case that there is no time for them. */
		memmove(loop->pending, loop->pending + 1, --loop->n_pending * sizeof(one));
		if (!due)
			pending_add(group, &one);
		else if (pending_try(group, batch, members, &one) == -EAGAIN)
			pending_again(group, &one);
	}
}

/* Let those join that can. Return whether some did, and others may. */
static bool pending_join_due(struct reuseport_group *group, const struct sock_diag_list *members)
{
	size_t max = look_isolated() ? PENDING_MAX : 1;
	struct join_batch *batch = join_batch_new(group, max);
	bool some;

	if (!batch)
		return false;
	batch->attaches = true;
	pending_try_due(group, batch, max, members);
	some = batch->n;
	group->loop.joining = batch;
	if (some)
		join_batch_begin(batch);
	if (!some || join_batch_step(batch))
		pending_end_joins(group);
	return some && !group->loop.joining;
}

/* The members cannot be read at this moment. */
static void pending_postpone(struct reuseport_group *group)
{
	uint64_t later = clock_ns(CLOCK_MONOTONIC) + STEADY;

	for (unsigned int i = 0; i < group->loop.n_pending; i++)
		group->loop.pending[i].look_at = later;
}

void pending_retry(struct reuseport_group *group)
{
	struct sock_diag_list members;

	if (group->loop.joining && join_batch_step(group->loop.joining))
		pending_end_joins(group);
	if (pending_due(group) > clock_ns(CLOCK_MONOTONIC))
		return;
	if (sock_diag_members(&group->at.key, &group->ns, &members, NULL)) {
		pending_postpone(group);
		return;
	}
	while (pending_join_due(group, &members))
		if (clock_ns(CLOCK_MONOTONIC) >= group->loop.call_until) {
			group->loop.more = true;
			break;
		}
	free(members.sockets);
}

uint64_t pending_due(const struct reuseport_group *group)
{
	uint64_t due = UINT64_MAX;

	if (group->loop.joining)
		return due;
	for (unsigned int i = 0; i < group->loop.n_pending; i++)
		if (group->loop.pending[i].look_at < due)
			due = group->loop.pending[i].look_at;
	return due;
}
