// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* Host turn: what the host's keeper does for its groups, one turn after the other. */
#include <errno.h>
#include <sys/epoll.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <sys/timerfd.h>
#include <syslog.h>
#include <unistd.h>

#include "error.h"
#include "fd.h"
#include "host/standby.h"
#include "keeper/check_pins.h"
#include "keeper/event_loop.h"
#include "keeper/host_scan.h"
#include "keeper/host_turn.h"
#include "keeper/loop_time.h"
#include "keeper/other_group.h"
#include "keeper/program_watch.h"
#include "keeper/slots.h"
#include "state/pin_dir.h"

#define EVENTS_TIME (2 * MS)   /* of a turn, for events, */
#define URGENT_TIME (20 * MS)  /* for groups that something has happened to, */
#define DUE_TIME (1 * MS)      /* and for the others */
#define SLICE 128              /* descriptors of a search: 1 ms */
#define REPAIR (5000 * MS)     /* of the ring */
#define OPEN_AGAIN (1000 * MS) /* a directory that could not be opened */

int host_turn_watch(struct reuseport_keeper *keeper, int fd, enum host_source source)
{
	struct epoll_event event = { .events = EPOLLIN, .data.u64 = source };

	return epoll_ctl(keeper->epoll, EPOLL_CTL_ADD, fd, &event);
}

/* ----------------------------------------------------------------- what happened */

bool host_turn_on_event(void *ctx, const struct socket_event *event)
{
	struct reuseport_keeper *keeper = ctx;
	struct host_entry *entry;
	bool taken = false;

	for (size_t i = 0; (entry = item_list_get(&keeper->entries, i)); i++) {
		if (!entry->group || !event_loop_take(entry->group, event))
			continue;
		entry->due_at = 0;
		taken = true;
	}
	for (size_t i = 0; !taken && (entry = item_list_get(&keeper->entries, i)); i++) {
		if (!entry->group || !other_group_note(entry->group, event))
			continue;
		entry->due_at = 0;
		break;
	}
	return loop_now() < keeper->events_until;
}

static void host_turn_read_events(struct reuseport_keeper *keeper)
{
	struct host_entry *entry;

	if (!keeper->shared.ring)
		return;
	keeper->events_until = loop_now() + EVENTS_TIME;
	if (!event_ring_consume(keeper->shared.ring))
		return;
	/* Some were lost. */
	for (size_t i = 0; (entry = item_list_get(&keeper->entries, i)); i++) {
		if (!entry->group)
			continue;
		entry->group->loop.resync_due = true;
		entry->due_at = 0;
	}
}

/* Something was made in an attachment's directory: see plan_lock_notify() and check_pins(). */
static void host_turn_on_notice_of(struct reuseport_keeper *keeper, int watch)
{
	struct host_entry *entry;

	for (size_t i = 0; (entry = item_list_get(&keeper->entries, i)); i++) {
		if (!entry->group || entry->watch != watch)
			continue;
		entry->group->loop.plan_due = true;
		entry->due_at = 0;
	}
}

static void host_turn_take_notices(struct reuseport_keeper *keeper)
{
	_Alignas(struct inotify_event) char buffer[4096];
	const struct inotify_event *event;
	ssize_t len;

	while ((len = read(keeper->notice, buffer, sizeof(buffer))) > 0) {
		for (char *at = buffer; at < buffer + len; at += sizeof(*event) + event->len) {
			event = (const void *)at;
			if (event->wd == keeper->root_watch || event->mask & IN_Q_OVERFLOW)
				keeper->scan_due = true;
			if (event->mask & IN_CREATE)
				host_turn_on_notice_of(keeper, event->wd);
		}
	}
}

static void host_turn_on_helper(struct reuseport_keeper *keeper, uint64_t id)
{
	struct host_entry *entry;

	for (size_t i = 0; (entry = item_list_get(&keeper->entries, i)); i++)
		if (entry->group && entry->id == id)
			entry->due_at = 0;
}

/* See what is ready. The ring is read in any case, and a search goes on at the end. */
static void host_turn_see_ready(struct reuseport_keeper *keeper)
{
	struct epoll_event ready[64];
	uint64_t expirations;
	int n = epoll_wait(keeper->epoll, ready, sizeof(ready) / sizeof(ready[0]), 0);

	for (int i = 0; i < n; i++) {
		uint64_t source = ready[i].data.u64;

		if (source == HOST_SOURCE_NOTICE)
			host_turn_take_notices(keeper);
		else if (source >= HOST_SOURCES)
			host_turn_on_helper(keeper, source);
		else if (source == HOST_SOURCE_TIMER &&
			 read(keeper->timer, &expirations, sizeof(expirations)) < 0)
			errno = 0; /* it is armed anew */
	}
}

/* ------------------------------------------------------------------- the groups */

/* Open the directory of an attachment, for a turn. -ENOENT: it is not there any longer. */
static int host_turn_open(struct host_entry *entry, struct reuseport_error *err)
{
	struct attachment *at = &entry->group->at;
	int dir = pin_dir_open(entry->keeper->root, entry->name, at->pin, err);
	struct stat st;

	if (dir < 0)
		return dir;
	if (fstat(dir, &st) || st.st_ino != entry->inode) {
		close(dir);
		return -ENOENT;
	}
	at->dir = dir;
	return 0;
}

static void host_turn_close(struct host_entry *entry)
{
	struct attachment *at = &entry->group->at;

	fd_close(at->dir);
	at->dir = -1;
	/* A helper that is begun anew has it, too. */
	if (entry->group->loop.joining || entry->group->found || entry->group->loop.mend)
		return;
	fd_close(at->steering.program);
	at->steering.program = -1;
}

/* Let the group go if no command reaches its pins, and its workers have gone, or are in the array
 * of another attachment. */
static int host_turn_check_hidden(struct host_entry *entry, struct reuseport_error *err)
{
	struct reuseport_group *group = entry->group;

	if (!host_scan_is_hidden(entry->keeper))
		return 0;
	slots_release_empty(group);
	return group->workers ? 0 :
				fail(err, ESHUTDOWN,
				     "%s has no worker, and its pins are not in sight any longer",
				     group->at.text);
}

static int host_turn_process(struct host_entry *entry, struct reuseport_error *err)
{
	struct reuseport_group *group = entry->group;
	int ret = host_turn_open(entry, err);

	if (ret && ret != -ENOENT)
		return ret;
	ret = check_pins(group, err);
	if (!ret)
		ret = host_turn_check_hidden(entry, err);
	if (!ret) {
		event_loop_begin_turn(group);
		ret = event_loop_turn(group, err);
	}
	entry->due_at = event_loop_due(group);
	host_turn_close(entry);
	return ret;
}

static void host_turn_group(struct host_entry *entry)
{
	struct reuseport_error error = { 0 };
	int ret;

	entry->due_at = loop_now() + OPEN_AGAIN;
	ret = host_turn_process(entry, &error);
	if (ret >= 0)
		return;
	if (ret != -ESHUTDOWN && ret != -ENETDOWN) {
		host_log(entry->keeper, entry, LOG_ERR, "%s", error.text);
		return;
	}
	host_log(entry->keeper, entry, LOG_NOTICE, "%s", error.text);
	host_scan_release(entry);
	entry->keeper->scan_due = true;
}

/* Process the groups that are due by then, for a while. The next turn begins with the first one
 * for which there was no time. Return whether there was time for all. */
static bool host_turn_groups(struct reuseport_keeper *keeper, uint64_t due, uint64_t time)
{
	uint64_t until = loop_now() + time;
	size_t n = keeper->entries.n, first = n ? keeper->next % n : 0;

	for (size_t i = 0; i < n; i++) {
		struct host_entry *entry = item_list_get(&keeper->entries, (first + i) % n);

		if (!entry->group || entry->due_at > due)
			continue;
		keeper->next = (first + i) % n;
		if (loop_now() >= until)
			return false;
		host_turn_group(entry);
	}
	return true;
}

/* ------------------------------------------------------------------ the search */

/* Go on with the search, or begin one once all that are due have asked for it. A group whose
 * result is there is due. */
static void host_turn_search(struct reuseport_keeper *keeper, bool begin)
{
	struct host_entry *entry;
	uint64_t until;
	int fd;

	if (begin || keeper->shared.search.scan)
		owner_search_all_step(&keeper->shared.search, SLICE);
	fd = owner_search_all_fd(&keeper->shared.search, &until);
	if (fd >= 0 && host_turn_watch(keeper, fd, HOST_SOURCE_SEARCH))
		errno = 0; /* it is there already; when the helper is over, it goes by itself */
	for (size_t i = 0; (entry = item_list_get(&keeper->entries, i)); i++)
		if (entry->group && !entry->group->found &&
		    owner_search_runs(&entry->group->search) &&
		    !owner_search_waits(&entry->group->search))
			entry->due_at = 0;
}

/* ------------------------------------------------------------------ the programs */

static void host_turn_watch_programs(struct reuseport_keeper *keeper)
{
	struct epoll_event event = { .events = EPOLLIN, .data.u64 = HOST_SOURCE_PROGRAMS };
	uint64_t until;
	int fd;

	program_watch_step(keeper);
	fd = program_watch_fd(keeper, &until);
	/* That of the helper that stands by stays in the set. */
	if (fd >= 0 && epoll_ctl(keeper->epoll, EPOLL_CTL_ADD, fd, &event) &&
	    epoll_ctl(keeper->epoll, EPOLL_CTL_MOD, fd, &event))
		errno = 0; /* it is called by the timer */
}

void host_turn(struct reuseport_keeper *keeper)
{
	bool all;

	host_turn_see_ready(keeper);
	host_turn_read_events(keeper);
	host_turn_groups(keeper, 0, URGENT_TIME);
	all = host_turn_groups(keeper, loop_now(), DUE_TIME);
	host_turn_search(keeper, all);
	host_turn_watch_programs(keeper);
	standby_start();
	turn_members_forget_old(&keeper->shared.turn);
}

void host_turn_tend_ring(struct reuseport_keeper *keeper)
{
	uint64_t now = loop_now();

	if (!keeper->shared.ring)
		return;
	if (!keeper->ring_watched)
		keeper->ring_watched = !host_turn_watch(keeper, event_ring_fd(keeper->shared.ring),
							HOST_SOURCE_RING);
	if (now < keeper->repair_at)
		return;
	if (keeper->repair_at && !pin_dir_is_gone(keeper->root))
		event_ring_repair(keeper->shared.ring, keeper->root, keeper->shared.features, NULL);
	keeper->repair_at = now + REPAIR;
}

static bool host_turn_keeps_some(const struct reuseport_keeper *keeper)
{
	const struct host_entry *entry;

	for (size_t i = 0; (entry = item_list_get(&keeper->entries, i)); i++)
		if (entry->group)
			return true;
	return false;
}

void host_turn_arm_timer(struct reuseport_keeper *keeper)
{
	uint64_t at = keeper->scan_due ? 0 : keeper->scan_at, search;
	struct itimerspec spec = { 0 };
	struct host_entry *entry;

	if (keeper->shared.ring)
		at = loop_sooner(at, keeper->repair_at);
	owner_search_all_fd(&keeper->shared.search, &search);
	at = loop_sooner(at, search);
	program_watch_fd(keeper, &search);
	if (host_turn_keeps_some(keeper))
		at = loop_sooner(at, search);
	for (size_t i = 0; (entry = item_list_get(&keeper->entries, i)); i++)
		if (entry->group)
			at = loop_sooner(at, entry->due_at);
	/* The time 0 would stop it. */
	if (!at)
		at = 1;
	if (at >= NEVER)
		at = 0;
	spec.it_value.tv_sec = at / (1000 * MS);
	spec.it_value.tv_nsec = at % (1000 * MS);
	timerfd_settime(keeper->timer, TFD_TIMER_ABSTIME, &spec, NULL);
}
