// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* Server change: notice that a worker has other CPUs, or is served by another process. */
#include <errno.h>
#include <stdlib.h>

#include "keeper/loop_time.h"
#include "keeper/server_change.h"
#include "state/slot_sockets.h"
#include "state/worker_cpus.h"

#define LEAST (1000 * MS) /* between two searches because of those that wait */
#define MOST (8000 * MS)

/* Mix a word into a checksum, so that no sum of such is that of others. */
static uint64_t server_change_mix(uint64_t sum, uint64_t word)
{
	sum = (sum ^ word) * 0x9e3779b97f4a7c15ULL;
	return sum ^ sum >> 29;
}

/* Mix the CPUs of a worker into a checksum. Refresh soon if its process has ended: a reload
 * replaces it without an event. */
static uint64_t server_change_cpus(struct reuseport_group *group, unsigned int slot,
				   const struct slot_socket *socket, uint64_t sum)
{
	const struct map_view *view = &group->at.view;
	struct cpus cpus;

	if (worker_cpus_find(view->workers[slot].pid, socket->cpu, view->size.cpus, &cpus) ==
	    -ESRCH)
		group->loop.refresh_at = loop_now();
	sum = server_change_mix(sum, slot + 1);
	for (unsigned int i = 0; i < CPUS_MAX / 64; i++)
		sum = server_change_mix(sum, cpus.words[i]);
	return sum;
}

/* Note who waits at a worker's socket. Return whether others wait there than before. */
static bool server_change_in_waiters(struct slot *at, const struct slot_socket *socket)
{
	bool changed = at->waiters && socket->waiters && at->waiters != socket->waiters;

	/* Between two calls that block nobody waits. */
	if (socket->waiters)
		at->waiters = socket->waiters;
	return changed;
}

/* Look at the workers' sockets. Return a checksum of the CPUs of all workers, which is not 0. */
static uint64_t server_change_look_at_sockets(struct reuseport_group *group)
{
	unsigned int n = attachment_slots_used(&group->at);
	struct slot_socket *sockets = calloc(n + 1, sizeof(*sockets));
	uint64_t sum = 1;

	if (!sockets)
		return sum;
	slot_sockets_read(group->at.steering.maps[MAP_SOCKETS], sockets, n);
	for (unsigned int slot = 0; slot < n; slot++) {
		struct slot *at = &group->slots[slot];

		if (!at->cookie || at->reserved)
			continue;
		group->loop.waiters_changed |= server_change_in_waiters(at, &sockets[slot]);
		sum = server_change_cpus(group, slot, &sockets[slot], sum);
	}
	free(sockets);
	return sum | 1;
}

/*
 * Refresh soon if another process may serve a worker, although the one that is known lives: it has
 * passed its socket on. A server that waits in calls that block, in turns, looks the same; so the
 * pause until the next time grows while it comes to nothing.
 */
static void server_change_follow_waiters(struct event_loop *loop)
{
	if (!loop->waiters_changed || loop_now() < loop->waiters_at)
		return;
	if (loop->waiters_wait < LEAST)
		loop->waiters_wait = LEAST;
	loop->waiters_changed = false;
	loop->waiters_asked = true;
	loop->waiters_at = loop_now() + loop->waiters_wait;
	loop->refresh_at = loop_now();
}

bool server_change_look(struct reuseport_group *group)
{
	uint64_t before = group->loop.cpus;

	group->loop.cpus = server_change_look_at_sockets(group);
	server_change_follow_waiters(&group->loop);
	return group->loop.cpus != before;
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
