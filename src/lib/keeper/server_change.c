// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* Server change: notice that another process serves a worker, on the same socket. */
#include <stdlib.h>

#include "host/proc.h"
#include "keeper/loop_time.h"
#include "keeper/server_change.h"
#include "state/slot_sockets.h"

#define LEAST (1000 * MS) /* between two searches because of those that wait */
#define MOST (8000 * MS)

/* Refresh soon if a process has ended: a reload replaces it without an event. */
static void server_change_look_at_processes(struct reuseport_group *group)
{
	for (unsigned int slot = 0; slot < group->at.entry.slots; slot++) {
		const struct slot *at = &group->slots[slot];

		if (at->cookie && at->pid && !proc_lives(at->pid))
			group->loop.refresh_at = loop_now();
	}
}

/* Note who waits at the workers' sockets. Return whether others wait at one than before. */
static bool server_change_in_waiters(struct reuseport_group *group)
{
	unsigned int n = attachment_slots_used(&group->at);
	struct slot_socket *sockets = calloc(n + 1, sizeof(*sockets));
	bool changed = false;

	if (!sockets)
		return false;
	slot_sockets_read(group->at.steering.maps[MAP_SOCKETS], sockets, n);
	for (unsigned int slot = 0; slot < n; slot++) {
		struct slot *at = &group->slots[slot];

		/* Between two calls that block nobody waits. */
		if (!at->cookie || at->reserved || !sockets[slot].waiters)
			continue;
		changed |= at->waiters && at->waiters != sockets[slot].waiters;
		at->waiters = sockets[slot].waiters;
	}
	free(sockets);
	return changed;
}

/*
 * Refresh soon if another process may serve a worker, although the one that is known lives: it has
 * passed its socket on. A server that waits in calls that block, in turns, looks the same; so the
 * pause until the next time grows while it comes to nothing.
 */
static void server_change_look_at_waiters(struct reuseport_group *group)
{
	struct event_loop *loop = &group->loop;

	loop->waiters_changed |= server_change_in_waiters(group);
	if (!loop->waiters_changed || loop_now() < loop->waiters_at)
		return;
	if (loop->waiters_wait < LEAST)
		loop->waiters_wait = LEAST;
	loop->waiters_changed = false;
	loop->waiters_asked = true;
	loop->waiters_at = loop_now() + loop->waiters_wait;
	loop->refresh_at = loop_now();
}

void server_change_look(struct reuseport_group *group)
{
	server_change_look_at_processes(group);
	server_change_look_at_waiters(group);
}

void server_change_note(struct reuseport_group *group, bool changed)
{
	struct event_loop *loop = &group->loop;

	loop->plan_due |= changed;
	if (changed)
		loop->waiters_wait = LEAST;
	else if (loop->waiters_asked && loop->waiters_wait < MOST)
		loop->waiters_wait *= 2;
	loop->waiters_asked = false;
}
