// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* Keep: following the workers of an attachment, event by event. */
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/inotify.h>
#include <sys/timerfd.h>
#include <syslog.h>
#include <unistd.h>

#include "clock.h"
#include "decide/chain.h"
#include "error.h"
#include "keeper/degraded.h"
#include "keeper/event_loop.h"
#include "keeper/membership.h"
#include "state/pins.h"
#include "state/publish.h"

#define MS CLOCK_MS
#define NEVER (1ULL << 62)
#define RESYNC_WITH_EVENTS (5000 * MS)
#define RESYNC_POLLING (100 * MS)
#define RESYNC_EMPTY (1000 * MS) /* is the namespace still there? */
#define REFRESH (10000 * MS)     /* of pids and names */
#define REFRESH_SOON (1000 * MS) /* a server forks after it has bound */
#define RETRY (MS / 2)           /* a pending event */
#define AFFINITY (300 * MS)      /* looking at the workers' CPUs */
#define PLAN_RETRY (20 * MS)     /* somebody else is changing the plan */
#define PLAN_WAIT_MS 2
#define SETTLE (50 * MS) /* after a change of the plan */
#define RETRY_MAX 100

static uint64_t now_ns(void)
{
	return clock_ns(CLOCK_MONOTONIC);
}

static uint64_t sooner(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

/* ----------------------------------------------------------------- events */

static void add_pending(struct reuseport_group *group, const struct socket_event *event)
{
	if (group->n_pending == PENDING_MAX) {
		group->resync_due = true;
		return;
	}
	group->pending[group->n_pending++] = (struct pending){
		.cookie = event->cookie,
		.inode = event->inode,
		.pid = event->pid,
		.leaving = event->kind == SOCKET_EVENT_LEAVE,
	};
}

/* What has left need not be waited for. */
static void drop_pending(struct reuseport_group *group, uint64_t cookie)
{
	unsigned int kept = 0;

	for (unsigned int i = 0; i < group->n_pending; i++)
		if (group->pending[i].cookie != cookie)
			group->pending[kept++] = group->pending[i];
	group->n_pending = kept;
}

static void on_event(void *ctx, const struct socket_event *event)
{
	struct reuseport_group *group = ctx;
	int ret;

	drop_pending(group, event->cookie);
	if (event->kind == SOCKET_EVENT_LEAVE)
		ret = sync_leave(group, event->cookie);
	else
		ret = sync_join(group, event->cookie, event->inode, event->pid);
	if (ret == -EAGAIN)
		add_pending(group, event);
}

static void retry_pending(struct reuseport_group *group)
{
	unsigned int kept = 0;
	int ret;

	for (unsigned int i = 0; i < group->n_pending; i++) {
		struct pending *one = &group->pending[i];

		if (one->leaving)
			ret = sync_leave(group, one->cookie);
		else
			/* Now and then not just where it was made: everywhere. */
			ret = sync_join(group, one->cookie, one->inode,
					one->tries % 16 == 3 ? 0 : one->pid);
		if (ret == -EAGAIN && ++one->tries < RETRY_MAX)
			group->pending[kept++] = *one;
		else if (ret == -EAGAIN)
			group->resync_due = true;
	}
	group->n_pending = kept;
}

/* ----------------------------------------------------------------- resync */

static int resync(struct reuseport_group *group, struct reuseport_error *err)
{
	struct reuseport_error error = { 0 };
	uint64_t now = now_ns();
	bool refresh = now >= group->refresh_at;
	int ret;

	group->resync_due = false;
	group->plan_due = true;
	ret = sync_full(group, refresh, &error);
	if (ret == -ENETDOWN) {
		pins_remove(group->pin);
		return fail(err, ENETDOWN, "%s: %s; its pins are removed", group->text, error.text);
	}
	if (ret)
		group_log(group, LOG_ERR, "%s: %s", group->text, error.text);
	if (refresh)
		group->refresh_at = now + REFRESH;
	group->resync_at = now + (group->events ? RESYNC_WITH_EVENTS : RESYNC_POLLING);
	return 0;
}

/* ------------------------------------------------------------------ the plan */

static bool follows_affinity(const struct reuseport_group *group)
{
	const struct plan *plan = change_plan(&group->mapped);

	return chain_by_place(plan->policy) && !(plan->flags & PLAN_GIVEN_CPUS);
}

/* Whoever serves them may have changed without an event, as at a reload. */
static void refresh_if_server_gone(struct reuseport_group *group)
{
	for (unsigned int slot = 0; slot < group->entry.slots; slot++) {
		uint32_t pid = group->slots[slot].pid;

		if (group->slots[slot].cookie && pid && kill(pid, 0) && errno == ESRCH)
			group->refresh_at = now_ns();
	}
}

/* Workers may have joined, left, or moved to other CPUs: the plan and the table
 * follow. */
static void follow(struct reuseport_group *group)
{
	struct reuseport_error error = { 0 };
	int lock, ret;

	if (!group->changes && !group->plan_due && now_ns() < group->plan_at)
		return;
	group->plan_due = false;
	group->plan_at = now_ns() + PLAN_RETRY;
	lock = change_lock(group->pin, &group->mapped, PLAN_WAIT_MS, &error);
	if (lock < 0)
		return;
	ret = change_follow(&group->mapped, group->steering.maps[MAP_SOCKETS], &error);
	close(lock);
	if (ret < 0)
		group_log(group, LOG_ERR, "%s: %s", group->text, error.text);
	if (ret > 0)
		group->settle_at = now_ns() + SETTLE;
	if (ret >= 0)
		group->plan_at = NEVER;
	if (ret >= 0 && follows_affinity(group)) {
		group->plan_at = now_ns() + AFFINITY;
		refresh_if_server_gone(group);
	}
}

/* Waiting costs some milliseconds: now, when nothing else is to be done, rather
 * than before the next change. While somebody holds the lock, later. */
static void settle(struct reuseport_group *group)
{
	int lock;

	if (group->n_pending || now_ns() < group->settle_at)
		return;
	group->settle_at = now_ns() + SETTLE;
	lock = change_lock(group->pin, &group->mapped, 0, NULL);
	if (lock < 0)
		return;
	change_settle(&group->mapped, false);
	close(lock);
	group->settle_at = NEVER;
}

/* Without a member nothing tells that the namespace has gone. */
static void watch_emptiness(struct reuseport_group *group)
{
	if (!group->workers)
		group->resync_at = sooner(group->resync_at, now_ns() + RESYNC_EMPTY);
	if (group->changes)
		group->refresh_at = sooner(group->refresh_at, now_ns() + REFRESH_SOON);
	group->resync_at = sooner(group->resync_at, group->refresh_at);
}

static void arm_timer(struct reuseport_group *group)
{
	uint64_t at = sooner(group->resync_at, sooner(group->plan_at, group->settle_at));
	struct itimerspec spec = { 0 };

	if (group->n_pending)
		at = sooner(at, now_ns() + RETRY);
	spec.it_value.tv_sec = at / (1000 * MS);
	spec.it_value.tv_nsec = at % (1000 * MS);
	timerfd_settime(group->timer, TFD_TIMER_ABSTIME, &spec, NULL);
}

/* ---------------------------------------------------------------- release */

/* Somebody detaches: see detach.c. */
static bool asked_to_let_go(struct reuseport_group *group)
{
	char path[REUSEPORT_PATH_MAX + 32], drain[512];

	/* Or somebody changed something: see change_tell(). */
	while (read(group->notice, drain, sizeof(drain)) > 0)
		group->plan_due = true;
	return !access(pins_join(group->pin, PIN_DETACHING, path, sizeof(path)), F_OK) ||
	       access(group->pin, F_OK);
}

int reuseport_group__process(struct reuseport_group *group, struct reuseport_error *err)
{
	uint64_t expirations;
	int ret = 0;

	if (asked_to_let_go(group))
		return fail(err, ESHUTDOWN, "%s is being detached", group->text);
	if (read(group->timer, &expirations, sizeof(expirations)) < 0 && errno != EAGAIN)
		return fail(err, errno, "cannot read the timer: %s", strerror(errno));
	mapped_fetch(&group->mapped);
	if (group->events && socket_events_consume(group->events))
		group->resync_due = true;
	retry_pending(group);
	if (group->resync_due || now_ns() >= group->resync_at)
		ret = resync(group, err);
	if (!ret) {
		follow(group);
		settle(group);
	}
	watch_emptiness(group);
	arm_timer(group);
	if (ret)
		return ret;
	ret = group->changes;
	group->changes = 0;
	if (ret)
		group_log(group, LOG_INFO, "%s: %u worker%s", group->text, group->workers,
			  group->workers == 1 ? "" : "s");
	return ret;
}

/* ------------------------------------------------------------------ setup */

static int add_source(struct reuseport_group *group, int fd)
{
	struct epoll_event event = { .events = EPOLLIN };

	return epoll_ctl(group->epoll, EPOLL_CTL_ADD, fd, &event);
}

int keep_open(struct reuseport_group *group, struct reuseport_error *err)
{
	struct reuseport_error error = { 0 };

	if (socket_events_open(&group->key, group->ns.cookie, on_event, group, group->features,
			       &group->events, &error))
		group_log(group,
			  socket_events_disabled(group->features, group->key.proto) ? LOG_INFO :
										      LOG_WARNING,
			  "%s: %s: sockets are polled instead, ten times a second", group->text,
			  error.text);
	ways_note(group);

	group->timer = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
	group->notice = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
	group->epoll = epoll_create1(EPOLL_CLOEXEC);
	if (group->timer < 0 || group->notice < 0 || group->epoll < 0 ||
	    inotify_add_watch(group->notice, group->pin, IN_CREATE | IN_DELETE_SELF) < 0 ||
	    add_source(group, group->timer) || add_source(group, group->notice) ||
	    (group->events && add_source(group, socket_events_fd(group->events))))
		return fail(err, errno == ENOENT ? EIO : errno,
			    "cannot set up the keeper's event sources: %s", strerror(errno));
	group->resync_at = now_ns() + RESYNC_POLLING;
	group->refresh_at = now_ns() + REFRESH_SOON;
	group->plan_at = now_ns();
	group->settle_at = NEVER;
	arm_timer(group);
	return group_write_entry(group, err);
}

int reuseport_group__keep(struct reuseport_group *group, struct reuseport_error *err)
{
	uint64_t own;
	int ret;

	group->entry.keeper_pid = getpid();
	ret = group_write_entry(group, err);
	if (ret)
		return ret;
	if (!reuseport_netns(NULL, &own, NULL) && own == group->key.netns)
		netns_leave_for_good();
	return 0;
}

int reuseport_group__fd(const struct reuseport_group *group)
{
	return group->epoll;
}
