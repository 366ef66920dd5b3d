// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* Event loop: follow the workers of an attachment, event by event, one turn after the other. */
#include <errno.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <syslog.h>

#include "keeper/asked.h"
#include "keeper/asked_settle.h"
#include "keeper/event_loop.h"
#include "keeper/join.h"
#include "keeper/loop_time.h"
#include "keeper/membership.h"
#include "keeper/other_group.h"
#include "keeper/own_watch.h"
#include "keeper/own_watch_state.h"
#include "keeper/pending.h"
#include "keeper/plan_due.h"
#include "keeper/program_mend.h"
#include "keeper/program_put_back.h"
#include "keeper/resync.h"
#include "keeper/worker_events.h"

#define CALL_TIME (2 * MS) /* of a turn: for events, and for a search's result */
#define SLICE 128          /* descriptors of a search: 1 ms */

/* ----------------------------------------------------------------- events */

/* Return whether the socket can be a member: the ring is told of the whole port. */
static bool event_loop_is_of_group(const struct reuseport_group *group,
				   const struct socket_event *event)
{
	const struct reuseport_key *key = &group->at.key;
	size_t length = key->family == AF_INET6 ? 16 : 4;

	return event->proto == key->proto && event->port == key->port &&
	       event->netns_cookie == group->ns.cookie && event->family == key->family &&
	       event->v6only == key->v6only && event->ifindex == key->ifindex &&
	       !memcmp(event->addr, key->addr, length);
}

/* The program has told of a change. */
static bool event_loop_on_change(struct reuseport_group *group, const struct socket_event *event)
{
	if (event->cookie != group->at.entry.attached_ns)
		return false;
	if (event->kind == SOCKET_EVENT_ASKED) {
		asked_note(group, event->members);
		return true;
	}
	group->loop.release_due = true;
	if (event->kind == SOCKET_EVENT_MEMBERS) {
		group->loop.members_told = true;
		group->loop.members = event->members;
	}
	return true;
}

bool event_loop_take(struct reuseport_group *group, const struct socket_event *event)
{
	if (event->kind != SOCKET_EVENT_BOUND)
		return event_loop_on_change(group, event);
	if (!event_loop_is_of_group(group, event))
		return false;
	pending_begin(group, event);
	return true;
}

/* ------------------------------------------------------------------- helpers */

/* Have the loop called when a helper reports. Return by when in any case. */
static uint64_t event_loop_watch_helper(struct reuseport_group *group, int fd, uint64_t until)
{
	struct epoll_event event = { .events = EPOLLIN, .data.u64 = group->loop.epoll_data };

	/* That of the helper that stands by stays there; any other goes by itself in the end. */
	if (!epoll_ctl(group->loop.epoll, EPOLL_CTL_ADD, fd, &event) ||
	    (errno == EEXIST && !epoll_ctl(group->loop.epoll, EPOLL_CTL_MOD, fd, &event)))
		return until;
	return loop_now();
}

/* Do so for a search, for sockets that join and for the program, or have it called at once. */
static uint64_t event_loop_watch_helpers(struct reuseport_group *group)
{
	uint64_t until = NEVER, search = NEVER;
	int fd = group->loop.joining ? join_batch_fd(group->loop.joining, &until) : -1;

	if (fd >= 0)
		until = event_loop_watch_helper(group, fd, until);
	fd = membership_search_fd(group, &search);
	if (fd >= 0)
		search = event_loop_watch_helper(group, fd, search);
	else if (owner_search_runs(&group->search) && !owner_search_waits(&group->search))
		search = loop_now();
	until = loop_sooner(until, search);
	fd = program_mend_fd(group->loop.mend, &search);
	if (fd >= 0)
		until = loop_sooner(until, event_loop_watch_helper(group, fd, search));
	fd = own_watch_fd(group->loop.watch, &search);
	if (fd >= 0)
		search = event_loop_watch_helper(group, fd, search);
	return loop_sooner(until, search);
}

/* -------------------------------------------------------------------- a turn */

/* Note how many members the keeper knows: of another number the program tells. Without that, one
 * that came and went between two packets would not be noticed. */
static void event_loop_note_members(struct reuseport_group *group)
{
	/* Whole words of a shadow are stored under the plan lock only. */
	if (group->changes && map_view_in_memory(&group->at.view))
		__atomic_store_n(&group->at.view.control->members, group->workers,
				 __ATOMIC_RELAXED);
}

void event_loop_begin_turn(struct reuseport_group *group)
{
	group->loop.call_until = loop_now() + CALL_TIME;
	group->loop.more = false;
}

/*
 * Do a part of the work. What a call may consist of, and what that costs at most:
 * - events, and those that are pending: CALL_TIME, and one look into a process, 776
 *   descriptors (6 ms);
 * - a slice of a search, SLICE descriptors (1 ms), or its result for CALL_TIME;
 * - a resync: 1 us for each listening socket of the namespace (UDP: for any), and 2 us for
 *   each slot. If no worker lives and the namespace has no name, 2 us for each process;
 * - publishing: 2 us for each slot, and the table. For one worker's change that takes 0.2 ms
 *   with 4 workers and 7 ms with 4,096, for many changes 1 and 44 ms. Another process may
 *   have the lock: PLAN_WAIT_MS;
 * - once for each new table, the wait for an RCU grace period, some 10 ms.
 */
int event_loop_turn(struct reuseport_group *group, struct reuseport_error *err)
{
	int ret;

	map_view_fetch(&group->at.view);
	other_group_name(group);
	resync_follow_changes(group);
	pending_retry(group);
	ret = resync_if_due(group, err);
	if (!ret) {
		membership_search(group, SLICE, loop_now() + CALL_TIME);
		asked_turn(group);
		plan_due_publish(group);
		plan_due_synchronize(group);
		asked_settle(group);
	}
	own_watch_step(group);
	program_put_back(group);
	event_loop_note_members(group);
	resync_plan(group);
	if (ret)
		return ret;
	ret = group->changes;
	group->changes = 0;
	if (ret)
		handle_log(group, LOG_INFO, "%s: %u worker%s", group->at.text, group->workers,
			   group->workers == 1 ? "" : "s");
	return ret;
}

uint64_t event_loop_due(struct reuseport_group *group)
{
	uint64_t at = loop_sooner(group->loop.resync_at,
				  loop_sooner(group->loop.plan_at, group->loop.synchronize_at));

	if (group->loop.resync_due || group->loop.release_due || group->loop.plan_due)
		return 0;
	if (group->loop.other.look_at)
		at = loop_sooner(at, group->loop.other.look_at);
	at = loop_sooner(at, loop_sooner(pending_due(group), worker_events_due(group)));
	at = loop_sooner(at, asked_due(group));
	return loop_sooner(at, event_loop_watch_helpers(group));
}
