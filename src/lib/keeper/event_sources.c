// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* Event sources: what wakes a handle: the ring, a timer and a watch, in one epoll set. */
#include <bpf/bpf.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/inotify.h>
#include <sys/timerfd.h>
#include <syslog.h>
#include <unistd.h>

#include "error.h"
#include "fd.h"
#include "keeper/check_pins.h"
#include "keeper/degraded.h"
#include "keeper/event_loop.h"
#include "keeper/event_sources.h"
#include "keeper/handle_owner.h"
#include "keeper/loop_time.h"
#include "keeper/other_group.h"
#include "keeper/resync.h"
#include "keeper/worker_events.h"
#include "state/hooks.h"
#include "state/pin_dir.h"
#include "state/sockopt_set.h"

/* ------------------------------------------------------------------- the ring */

/* Return whether there is time for another event in this call. */
static bool event_sources_on_event(void *ctx, const struct socket_event *event)
{
	struct reuseport_group *group = ctx;

	if (!event_loop_take(group, event))
		other_group_note(group, event);
	group->loop.more = loop_now() >= group->loop.call_until;
	return !group->loop.more;
}

/* Open the ring, of the group or of all. */
static int event_sources_make_ring(struct reuseport_group *group, int root,
				   struct reuseport_error *err)
{
	struct handle_shared *shared = group->shared;
	int ret;

	if (!shared)
		return event_ring_open(root, event_sources_on_event, group, group->features,
				       &group->loop.ring, err);
	ret = shared->ring ? 0 :
			     event_ring_open(root, shared->on_event, shared->ctx, group->features,
					     &shared->ring, err);
	group->loop.ring = shared->ring;
	return ret;
}

/* Where the maps are not there, workers cannot ask by socket options. */
static void event_sources_open_sockopt(struct reuseport_group *group, const struct hooks *hooks)
{
	if (sockopt_maps_open(hooks->dir, &group->own_sockopt, NULL))
		group->own_sockopt = SOCKOPT_MAPS_NONE;
	else
		group->sockopt = &group->own_sockopt;
}

/* Be told of binds, and by the program of changes in the group. */
static int event_sources_open_ring(struct reuseport_group *group, struct reuseport_error *err)
{
	int root = handle_open_root(group), map = group->at.steering.maps[MAP_EVENTS], ret, fd;
	__u32 zero = 0;

	if (root < 0)
		return fail(err, -root, "cannot open the directory of the pins: %s",
			    strerror(-root));
	ret = event_sources_make_ring(group, root, err);
	close(root);
	if (ret)
		return ret;
	ret = event_ring_follow(group->loop.ring, &group->at.key, group->ns.cookie, err);
	fd = event_ring_map(group->loop.ring);
	if (!ret && map >= 0 && bpf_map_update_elem(map, &zero, &fd, BPF_ANY))
		ret = fail(err, errno, "cannot be told of changes by the program: %s",
			   strerror(errno));
	if (!ret) {
		group->sockopt = event_ring_sockopt(group->loop.ring);
		return 0;
	}
	if (group->shared)
		event_ring_unfollow(group->loop.ring, &group->at.key, group->ns.cookie);
	else
		event_ring_close(group->loop.ring, true);
	group->loop.ring = NULL;
	return ret;
}

/* --------------------------------------------------------------------- setup */

static int event_sources_add(struct reuseport_group *group, int fd)
{
	struct epoll_event event = { .events = EPOLLIN };

	return epoll_ctl(group->loop.epoll, EPOLL_CTL_ADD, fd, &event);
}

/* Watch the pins, and whether they are removed: while they are open, that is to be seen in the
 * directory above only. */
static int event_sources_watch_pins(const struct reuseport_group *group)
{
	char self[32], above[40];

	snprintf(above, sizeof(above), "%s/..", pin_dir_self(group->at.dir, self));
	return inotify_add_watch(group->loop.notice, self, IN_CREATE) < 0 ||
	       inotify_add_watch(group->loop.notice, above, IN_DELETE) < 0;
}

static void event_sources_arm_timer(struct reuseport_group *group)
{
	struct itimerspec spec = { 0 };
	uint64_t at = event_loop_due(group);

	/* The time 0 would stop it. */
	if (!at)
		at = 1;
	spec.it_value.tv_sec = at / (1000 * MS);
	spec.it_value.tv_nsec = at % (1000 * MS);
	timerfd_settime(group->loop.timer, TFD_TIMER_ABSTIME, &spec, NULL);
}

void event_sources_wake(struct reuseport_group *group)
{
	event_sources_arm_timer(group);
}

static int event_sources_set_up(struct reuseport_group *group, struct reuseport_error *err)
{
	group->loop.timer = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
	group->loop.notice = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
	group->loop.epoll = epoll_create1(EPOLL_CLOEXEC);
	if (group->loop.timer < 0 || group->loop.notice < 0 || group->loop.epoll < 0 ||
	    event_sources_watch_pins(group) || event_sources_add(group, group->loop.timer) ||
	    event_sources_add(group, group->loop.notice) ||
	    (group->loop.ring && event_sources_add(group, event_ring_fd(group->loop.ring))))
		return fail(err, errno == ENOENT ? EIO : errno,
			    "cannot set up the keeper's event sources: %s", strerror(errno));
	event_sources_arm_timer(group);
	return 0;
}

/* Have the hooks loaded for the host's keeper, which the group is left to: a ring for the time
 * until then would cost two grace periods of the kernel. */
static int event_sources_load_hooks(struct reuseport_group *group, struct reuseport_error *err)
{
	struct hooks hooks;
	int root = handle_open_root(group), ret;

	if (root < 0)
		return fail(err, -root, "cannot open the directory of the pins: %s",
			    strerror(-root));
	ret = hooks_open(root, group->features, &hooks, err);
	if (!ret) {
		event_sources_open_sockopt(group, &hooks);
		hooks_close(&hooks);
	}
	close(root);
	return ret;
}

/* Use the maps that are there: workers join in this look. */
static void event_sources_find_sockopt(struct reuseport_group *group)
{
	int root = handle_open_root(group);

	if (root >= 0 && !sockopt_set_open(root, &group->own_sockopt, NULL))
		group->sockopt = &group->own_sockopt;
	fd_close(root);
}

/* Return 0, or -errno if no events tell this process, or the host's keeper, of joins. */
static int event_sources_open_events(struct reuseport_group *group, struct reuseport_error *err)
{
	if (group->passing) {
		event_sources_find_sockopt(group);
		return 0;
	}
	return group->own || group->shared ? event_sources_open_ring(group, err) :
					     event_sources_load_hooks(group, err);
}

int event_sources_open(struct reuseport_group *group, struct reuseport_error *err)
{
	struct reuseport_error error = { 0 };
	bool events = !event_sources_open_events(group, &error);
	int ret;

	if (!events)
		handle_log(group, hooks_disabled(group->features) ? LOG_INFO : LOG_WARNING,
			   "%s: %s: sockets are polled instead, ten times a second", group->at.text,
			   error.text);
	degraded_note(group, events);
	resync_begin(group);
	group->loop.plan_at = loop_now();
	group->loop.synchronize_at = NEVER;
	ret = group->shared ? 0 : event_sources_set_up(group, err);
	return ret ? ret : attachment_write_entry(&group->at, err);
}

int reuseport_group__fd(const struct reuseport_group *group)
{
	return group ? group->loop.epoll : -1;
}

/* ---------------------------------------------------------------------- a call */

/* Take the notices: that a directory was made among the pins, see plan_lock_notify(), or that
 * one was removed beside them. */
static void event_sources_take_notices(struct reuseport_group *group)
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

static int event_sources_process(struct reuseport_group *group, struct reuseport_error *err)
{
	uint64_t expirations;
	int ret;

	event_sources_take_notices(group);
	ret = check_pins(group, err);
	if (ret)
		return ret;
	if (read(group->loop.timer, &expirations, sizeof(expirations)) < 0 && errno != EAGAIN)
		return fail(err, errno, "cannot read the timer: %s", strerror(errno));
	event_loop_begin_turn(group);
	if (group->loop.ring && event_ring_consume(group->loop.ring))
		group->loop.resync_due = true;
	ret = event_loop_turn(group, err);
	worker_events_look(group);
	event_sources_arm_timer(group);
	return ret;
}

int reuseport_group__process(struct reuseport_group *group, struct reuseport_error *err)
{
	int ret = handle_owner_check(group, err);

	if (ret)
		return ret;
	ret = event_sources_process(group, err);
	if (ret == -ESHUTDOWN || ret == -ENETDOWN)
		worker_events_end(group);
	return ret;
}
