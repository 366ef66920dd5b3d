// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* Event loop: follow the workers of an attachment, event by event. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/inotify.h>
#include <sys/timerfd.h>
#include <syslog.h>
#include <unistd.h>

#include "clock.h"
#include "decide/chain.h"
#include "error.h"
#include "host/proc.h"
#include "keeper/degraded.h"
#include "keeper/event_loop.h"
#include "keeper/handle_owner.h"
#include "keeper/membership.h"
#include "keeper/pending.h"
#include "keeper/program_detach.h"
#include "state/pin_dir.h"
#include "state/pins.h"
#include "state/plan_lock.h"
#include "state/publish.h"
#include "state/sockarray.h"

#define MS CLOCK_MS
#define NEVER (1ULL << 62)
#define RESYNC_WITH_EVENTS (5000 * MS)
#define RESYNC_POLLING (100 * MS)
#define RESYNC_EMPTY (1000 * MS) /* is the namespace still there? */
#define REFRESH (10000 * MS)     /* of pids and names */
#define REFRESH_SOON (1000 * MS) /* a server forks after it has bound */
#define RETRY (MS / 2)           /* a pending event */
#define AFFINITY (300 * MS)      /* of reading the workers' CPUs */
#define PLAN_RETRY (20 * MS)     /* another process holds the plan lock */
#define PLAN_WAIT_MS 2
#define SYNCHRONIZE (50 * MS) /* after a plan was published */
#define CALL_TIME (2 * MS)    /* of __process: for events, and for a search's result */
#define SLICE 128             /* descriptors of a search: 1 ms */

static uint64_t event_loop_now(void)
{
	return clock_ns(CLOCK_MONOTONIC);
}

static uint64_t event_loop_sooner(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

/* ----------------------------------------------------------------- events */

/* Return whether there is time for another event in this call. */
static bool event_loop_on_event(void *ctx, const struct socket_event *event)
{
	struct reuseport_group *group = ctx;

	pending_begin(group, event);
	group->loop.more = event_loop_now() >= group->loop.call_until;
	return !group->loop.more;
}

/* ----------------------------------------------------------------- resync */

static int event_loop_resync(struct reuseport_group *group, struct reuseport_error *err)
{
	struct reuseport_error error = { 0 };
	uint64_t now = event_loop_now();
	bool refresh = now >= group->loop.refresh_at && !owner_search_runs(&group->search);
	int ret;

	group->loop.resync_due = false;
	group->loop.plan_due = true;
	ret = membership_sync(group, refresh, &error);
	/* A namespace lives as long as its sockets, whoever has them open. */
	if (ret == -ENETDOWN && sockarray_is_empty(group->at.steering.maps[MAP_SOCKETS])) {
		pins_remove(group->at.dir, group->at.pin);
		return fail(err, ENETDOWN, "%s: %s; its pins were removed", group->at.text,
			    error.text);
	}
	if (ret)
		handle_log(group, LOG_ERR, "%s: %s", group->at.text, error.text);
	if (refresh)
		group->loop.refresh_at = now + REFRESH;
	group->loop.resync_at = now + (group->loop.events ? RESYNC_WITH_EVENTS : RESYNC_POLLING);
	return 0;
}

/* ------------------------------------------------------------------ the plan */

static bool event_loop_follows_affinity(const struct reuseport_group *group)
{
	const struct plan *plan = plan_in_use(&group->at.view);

	return chain_by_place(plan->policy) && !(plan->flags & PLAN_GIVEN_CPUS);
}

/* Refresh soon if a process has ended: a reload replaces it without an event. */
static void event_loop_refresh_if_server_ended(struct reuseport_group *group)
{
	for (unsigned int slot = 0; slot < group->at.entry.slots; slot++) {
		const struct slot *at = &group->slots[slot];

		if (at->cookie && at->pid && !proc_lives(at->pid))
			group->loop.refresh_at = event_loop_now();
	}
}

/* Return whether to publish later, because there was no time for all that join or leave:
 * publishing for each few of them would take longer than they do. */
static bool event_loop_publish_later(struct reuseport_group *group)
{
	uint64_t now = event_loop_now();

	if (!group->loop.more) {
		group->loop.publish_by = 0;
		return false;
	}
	if (!group->loop.publish_by)
		group->loop.publish_by = now + PLAN_RETRY;
	if (now >= group->loop.publish_by)
		return false;
	group->loop.plan_due = true;
	group->loop.plan_at = now;
	return true;
}

/* Publish if workers may have joined, left, or moved to other CPUs. */
static void event_loop_publish(struct reuseport_group *group)
{
	struct reuseport_error error = { 0 };
	int lock, ret;

	if (!group->changes && !group->loop.plan_due && event_loop_now() < group->loop.plan_at)
		return;
	if (event_loop_publish_later(group))
		return;
	group->loop.plan_due = false;
	group->loop.plan_at = event_loop_now() + PLAN_RETRY;
	lock = plan_lock(&group->at, PLAN_WAIT_MS, &error);
	if (lock < 0)
		return;
	ret = publish_workers(&group->at, &error);
	close(lock);
	if (ret < 0)
		handle_log(group, LOG_ERR, "%s: %s", group->at.text, error.text);
	if (ret > 0)
		group->loop.synchronize_at = event_loop_now() + SYNCHRONIZE;
	if (ret >= 0)
		group->loop.plan_at = NEVER;
	if (ret >= 0 && event_loop_follows_affinity(group)) {
		group->loop.plan_at = event_loop_now() + AFFINITY;
		event_loop_refresh_if_server_ended(group);
	}
}

/* Synchronize now, when there is nothing else to do, rather than before the next plan: it
 * takes some milliseconds. While another process holds the lock, do it later. */
static void event_loop_synchronize(struct reuseport_group *group)
{
	int lock;

	if (group->loop.n_pending || owner_search_runs(&group->search) ||
	    event_loop_now() < group->loop.synchronize_at)
		return;
	group->loop.synchronize_at = event_loop_now() + SYNCHRONIZE;
	lock = plan_lock(&group->at, 0, NULL);
	if (lock < 0)
		return;
	publish_synchronize(&group->at, false);
	close(lock);
	group->loop.synchronize_at = NEVER;
}

/* Choose the time of the next resync. Without a member no event tells that the namespace
 * has gone. */
static void event_loop_plan_resync(struct reuseport_group *group)
{
	if (!group->workers)
		group->loop.resync_at = event_loop_sooner(group->loop.resync_at,
							  event_loop_now() + RESYNC_EMPTY);
	if (group->changes)
		group->loop.refresh_at = event_loop_sooner(group->loop.refresh_at,
							   event_loop_now() + REFRESH_SOON);
	if (!owner_search_runs(&group->search))
		group->loop.resync_at = event_loop_sooner(group->loop.resync_at,
							  group->loop.refresh_at);
}

/* Have the loop called for a search: when its helper reports, or else at once. Return by
 * when. */
static uint64_t event_loop_watch_search(struct reuseport_group *group)
{
	struct epoll_event event = { .events = EPOLLIN };
	uint64_t until = NEVER;
	int fd = owner_search_fd(&group->search, &until);

	if (fd < 0)
		return owner_search_runs(&group->search) ? event_loop_now() : NEVER;
	/* It may be there already; when the helper is over, it goes by itself. */
	if (epoll_ctl(group->loop.epoll, EPOLL_CTL_ADD, fd, &event) && errno != EEXIST)
		return event_loop_now();
	return until;
}

static void event_loop_arm_timer(struct reuseport_group *group)
{
	uint64_t at = event_loop_sooner(group->loop.resync_at,
					event_loop_sooner(group->loop.plan_at,
							  group->loop.synchronize_at));
	struct itimerspec spec = { 0 };

	if (group->loop.n_pending)
		at = event_loop_sooner(at, event_loop_now() + RETRY);
	at = event_loop_sooner(at, event_loop_watch_search(group));
	if (group->loop.resync_due)
		at = event_loop_now();
	spec.it_value.tv_sec = at / (1000 * MS);
	spec.it_value.tv_nsec = at % (1000 * MS);
	timerfd_settime(group->loop.timer, TFD_TIMER_ABSTIME, &spec, NULL);
}

/* ---------------------------------------------------------------- release */

/* Take the notices: that a directory was made among the pins, see plan_lock_notify(), or that
 * one was removed beside them. */
static void event_loop_take_notices(struct reuseport_group *group)
{
	_Alignas(struct inotify_event) char buffer[1024];
	const struct inotify_event *event;
	ssize_t len;

	while ((len = read(group->loop.notice, buffer, sizeof(buffer))) > 0) {
		for (char *at = buffer; at < buffer + len; at += sizeof(*event) + event->len) {
			event = (const void *)at;
			group->loop.plan_due |= !(event->mask & IN_DELETE);
		}
	}
}

/* The pins were removed, but not by a detach. Without them no command reaches the program, and
 * it would look like another's: take it off. */
static int event_loop_give_back(struct reuseport_group *group, struct reuseport_error *err)
{
	struct reuseport_error error;
	int ret = program_detach(&group->at.key, &group->at.steering, &error);

	/* Try again at the next call. */
	if (error_is_limit(ret)) {
		handle_log(group, LOG_ERR, "the pins of %s were removed, and %.250s",
			   group->at.text, error.text);
		return 0;
	}
	if (ret)
		return fail(err, ESHUTDOWN, "the pins of %s were removed, and %.250s",
			    group->at.text, error.text);
	sockarray_empty(group->at.steering.maps[MAP_SOCKETS]);
	return fail(err, ESHUTDOWN, "the pins of %s were removed: it is detached", group->at.text);
}

/* Return 0, or -ESHUTDOWN if the group needs no keeper any longer. */
static int event_loop_check_pins(struct reuseport_group *group, struct reuseport_error *err)
{
	event_loop_take_notices(group);
	/* By a command: see pins_take_over(). */
	if (pin_dir_has(group->at.dir, PIN_DETACHING) > 0)
		return fail(err, ESHUTDOWN, "%s is being detached", group->at.text);
	if (pin_dir_is_gone(group->at.dir))
		return event_loop_give_back(group, err);
	if (pins_are_gone(group->at.dir, group->at.pin))
		return fail(err, ESHUTDOWN, "%s: its pins are not in sight any longer",
			    group->at.text);
	return 0;
}

/* Watch the pins, and whether they are removed: while they are open, that is to be seen in the
 * directory above only. */
static int event_loop_watch_pins(const struct reuseport_group *group)
{
	char self[32], above[40];

	snprintf(above, sizeof(above), "%s/..", pin_dir_self(group->at.dir, self));
	return inotify_add_watch(group->loop.notice, self, IN_CREATE) < 0 ||
	       inotify_add_watch(group->loop.notice, above, IN_DELETE) < 0;
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
int reuseport_group__process(struct reuseport_group *group, struct reuseport_error *err)
{
	uint64_t expirations;
	int ret = handle_owner_check(group, err);

	if (ret)
		return ret;
	ret = event_loop_check_pins(group, err);
	if (ret)
		return ret;
	if (read(group->loop.timer, &expirations, sizeof(expirations)) < 0 && errno != EAGAIN)
		return fail(err, errno, "cannot read the timer: %s", strerror(errno));
	group->loop.call_until = event_loop_now() + CALL_TIME;
	group->loop.more = false;
	map_view_fetch(&group->at.view);
	if (group->loop.events && socket_events_consume(group->loop.events))
		group->loop.resync_due = true;
	pending_retry(group);
	if (group->loop.resync_due || event_loop_now() >= group->loop.resync_at)
		ret = event_loop_resync(group, err);
	if (!ret) {
		membership_search(group, SLICE, event_loop_now() + CALL_TIME);
		event_loop_publish(group);
		event_loop_synchronize(group);
	}
	event_loop_plan_resync(group);
	event_loop_arm_timer(group);
	if (ret)
		return ret;
	ret = group->changes;
	group->changes = 0;
	if (ret)
		handle_log(group, LOG_INFO, "%s: %u worker%s", group->at.text, group->workers,
			   group->workers == 1 ? "" : "s");
	return ret;
}

/* ------------------------------------------------------------------ setup */

static int event_loop_add_source(struct reuseport_group *group, int fd)
{
	struct epoll_event event = { .events = EPOLLIN };

	return epoll_ctl(group->loop.epoll, EPOLL_CTL_ADD, fd, &event);
}

int event_loop_open(struct reuseport_group *group, struct reuseport_error *err)
{
	struct reuseport_error error = { 0 };

	if (socket_events_open(&group->at.key, group->ns.cookie, event_loop_on_event, group,
			       group->features, &group->loop.events, &error))
		handle_log(group,
			   socket_events_disabled(group->features, group->at.key.proto) ?
				   LOG_INFO :
				   LOG_WARNING,
			   "%s: %s: sockets are polled instead, ten times a second", group->at.text,
			   error.text);
	degraded_note(group);

	group->loop.timer = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
	group->loop.notice = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
	group->loop.epoll = epoll_create1(EPOLL_CLOEXEC);
	if (group->loop.timer < 0 || group->loop.notice < 0 || group->loop.epoll < 0 ||
	    event_loop_watch_pins(group) || event_loop_add_source(group, group->loop.timer) ||
	    event_loop_add_source(group, group->loop.notice) ||
	    (group->loop.events &&
	     event_loop_add_source(group, socket_events_fd(group->loop.events))))
		return fail(err, errno == ENOENT ? EIO : errno,
			    "cannot set up the keeper's event sources: %s", strerror(errno));
	group->loop.resync_at = event_loop_now() + RESYNC_POLLING;
	group->loop.refresh_at = event_loop_now() + REFRESH_SOON;
	group->loop.plan_at = event_loop_now();
	group->loop.synchronize_at = NEVER;
	event_loop_arm_timer(group);
	return attachment_write_entry(&group->at, err);
}

int reuseport_group__fd(const struct reuseport_group *group)
{
	return group ? group->loop.epoll : -1;
}
