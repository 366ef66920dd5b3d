// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* Resync: compare the workers with the kernel's sockets, now and then and when events ask. */
#include <errno.h>
#include <syslog.h>

#include "error.h"
#include "fd.h"
#include "keeper/loop_time.h"
#include "keeper/membership.h"
#include "keeper/resync.h"
#include "keeper/slots.h"
#include "state/pins.h"
#include "state/sockarray.h"
#include "state/sockopt_members.h"

#define WITH_EVENTS (5000 * MS)
#define POLLING (100 * MS)
#define EMPTY (1000 * MS)        /* is the namespace still there? */
#define REFRESH (10000 * MS)     /* of pids and names */
#define REFRESH_SOON (1000 * MS) /* a server forks after it has bound */
#define TOLD (20 * MS)           /* between two that changes in the group ask for */
#define JOIN_TIME (10 * MS)      /* for a socket that is about to join */

void resync_begin(struct reuseport_group *group)
{
	group->loop.resync_at = loop_after(group, POLLING);
	group->loop.refresh_at = loop_after(group, REFRESH_SOON);
}

void resync_follow_changes(struct reuseport_group *group)
{
	uint64_t at = loop_now();

	if (!group->loop.release_due)
		return;
	group->loop.release_due = false;
	slots_release_empty(group);
	if (!group->loop.members_told || group->loop.members == group->workers)
		return;
	group->loop.members_told = false;
	if (group->loop.n_pending || group->loop.joining)
		at += JOIN_TIME;
	if (at < group->loop.resynced + TOLD)
		at = group->loop.resynced + TOLD;
	group->loop.resync_at = loop_sooner(group->loop.resync_at, at);
	group->loop.resync_alone = true;
}

/* Take a place among the hooks again, if they were removed. */
static void resync_repair_ring(struct reuseport_group *group)
{
	int root;

	if (!group->loop.ring || group->shared)
		return;
	root = handle_open_root(group);
	if (root >= 0)
		event_ring_repair(group->loop.ring, root, group->features, NULL);
	fd_close(root);
}

static int resync_run(struct reuseport_group *group, struct reuseport_error *err)
{
	struct reuseport_error error = { 0 };
	bool refresh = loop_now() >= group->loop.refresh_at && !owner_search_runs(&group->search);
	int ret;

	/* What an event has asked for is of this group only. */
	group->loop.resync_alone |= group->loop.resync_due;
	group->loop.resync_due = false;
	/* A notice may have been missed. */
	group->loop.plan_due |= refresh || group->loop.resync_alone;
	ret = membership_sync(group, refresh, &error);
	group->loop.resync_alone = false;
	/* A namespace lives as long as its sockets, whoever has them open. */
	if (ret == -ENETDOWN && sockarray_is_empty(group->at.steering.maps[MAP_SOCKETS])) {
		sockopt_members_remove_pinned(&group->at);
		pins_remove(group->at.dir, group->at.pin);
		return fail(err, ENETDOWN, "%s: %s; its pins were removed", group->at.text,
			    error.text);
	}
	if (ret)
		handle_log(group, LOG_ERR, "%s: %s", group->at.text, error.text);
	if (refresh)
		group->loop.refresh_at = loop_after(group, REFRESH);
	group->loop.resynced = loop_now();
	resync_repair_ring(group);
	group->loop.resync_at = loop_after(group, group->loop.ring ? WITH_EVENTS : POLLING);
	return 0;
}

int resync_if_due(struct reuseport_group *group, struct reuseport_error *err)
{
	if (!group->loop.resync_due && loop_now() < group->loop.resync_at)
		return 0;
	return resync_run(group, err);
}

/* Without a member no event tells that the namespace has gone. */
void resync_plan(struct reuseport_group *group)
{
	if (!group->workers)
		group->loop.resync_at = loop_sooner(group->loop.resync_at,
						    loop_after(group, EMPTY));
	if (group->changes)
		group->loop.refresh_at = loop_sooner(group->loop.refresh_at,
						     loop_after(group, REFRESH_SOON));
	if (!owner_search_runs(&group->search))
		group->loop.resync_at = loop_sooner(group->loop.resync_at, group->loop.refresh_at);
}
