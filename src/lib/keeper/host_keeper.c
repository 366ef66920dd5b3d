// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* Host keeper: the process that keeps all attachments that no other one keeps. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/inotify.h>
#include <sys/timerfd.h>
#include <syslog.h>
#include <unistd.h>

#include "clock.h"
#include "error.h"
#include "fd.h"
#include "host/caps.h"
#include "host/standby.h"
#include "keeper/host_scan.h"
#include "keeper/host_turn.h"
#include "keeper/program_watch.h"
#include "opts.h"
#include "sockets/group_iter.h"
#include "state/pin_dir.h"
#include "state/pins_root.h"
#include "state/root_lock.h"

#define LOCK_PAUSE_MS 5
#define LOCK_TRIES 40      /* 200 ms: a command that looks for a keeper has it for a moment */
#define SUCCEED_TRIES 1000 /* 5 s for a keeper that was left behind to end */

/* ---------------------------------------------------------------- the lock */

/* Another process has the lock: ask it to end, or fail. Return 0 to try again. */
static int host_keeper_meet(struct reuseport_keeper *keeper, int tries, struct reuseport_error *err)
{
	struct keeper_entry other = { 0 };
	bool known = !root_lock_read_keeper(keeper->root, &other);
	bool ends = keeper->opts.service && known && other.kind == KEEPER_LEFT_BEHIND;

	if (ends)
		pin_dir_make(keeper->root, ROOT_SUCCESSOR);
	if (tries < (ends ? SUCCEED_TRIES : LOCK_TRIES))
		return 0;
	if (ends) {
		pin_dir_unmake(keeper->root, ROOT_SUCCESSOR);
		return fail(err, EBUSY,
			    "process %u keeps what is pinned in %s and does not end: end it first",
			    other.pid, keeper->path);
	}
	return fail(err, EBUSY, "process %u is the keeper of %s already", other.pid, keeper->path);
}

/* Open the root directory and lock it. */
static int host_keeper_lock(struct reuseport_keeper *keeper, struct reuseport_error *err)
{
	int ret;

	for (int tries = 0;; tries++) {
		ret = pins_open_root(true, keeper->path, sizeof(keeper->path), err);
		if (ret < 0 && ret != -ENOENT)
			return ret;
		keeper->root = ret;
		ret = ret < 0 ? ret : root_lock_take(keeper->root);
		if (!ret)
			return 0;
		if (ret == -EBUSY)
			ret = host_keeper_meet(keeper, tries, err);
		else if (ret != -ENOENT)
			ret = fail(err, -ret, "cannot lock %s: %s", keeper->path, strerror(-ret));
		else
			ret = 0; /* removed at this moment */
		fd_close(keeper->root);
		keeper->root = -1;
		if (ret)
			return ret;
		clock_sleep_ms(LOCK_PAUSE_MS);
	}
}

/* Say who keeps. -ENOENT: the directory was removed meanwhile. */
static int host_keeper_note(struct reuseport_keeper *keeper, struct reuseport_error *err)
{
	fd_close(keeper->record);
	keeper->record = root_lock_note_keeper(keeper->root, &keeper->entry);
	if (keeper->record == -ENOENT)
		return keeper->record;
	if (keeper->record < 0)
		return fail(err, -keeper->record, "cannot pin %s/" ROOT_KEEPER ": %s", keeper->path,
			    strerror(-keeper->record));
	pin_dir_unmake(keeper->root, ROOT_SUCCESSOR);
	return 0;
}

static int host_keeper_watch(struct reuseport_keeper *keeper)
{
	char self[32];

	keeper->root_watch = inotify_add_watch(keeper->notice, pin_dir_self(keeper->root, self),
					       IN_CREATE | IN_DELETE | IN_DELETE_SELF);
	return keeper->root_watch < 0 ? -errno : 0;
}

static void host_keeper_leave_root(struct reuseport_keeper *keeper)
{
	fd_close(keeper->record);
	/* Last: it holds the lock. */
	fd_close(keeper->root);
	keeper->record = keeper->root = -1;
}

static int host_keeper_enter_root(struct reuseport_keeper *keeper, struct reuseport_error *err)
{
	int ret;

	do {
		host_keeper_leave_root(keeper);
		ret = host_keeper_lock(keeper, err);
		if (!ret)
			ret = host_keeper_note(keeper, err);
	} while (ret == -ENOENT);
	keeper->hidden = false;
	if (!ret) {
		ret = host_keeper_watch(keeper);
		if (ret)
			fail(err, -ret, "cannot watch %s: %s", keeper->path, strerror(-ret));
	}
	keeper->scan_due = true;
	return ret;
}

/* --------------------------------------------------------------------- setup */

static int host_keeper_open_sources(struct reuseport_keeper *keeper, struct reuseport_error *err)
{
	keeper->timer = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
	keeper->notice = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
	keeper->epoll = epoll_create1(EPOLL_CLOEXEC);
	keeper->shared.epoll = keeper->epoll;
	keeper->last_id = HOST_SOURCES;
	if (keeper->timer < 0 || keeper->notice < 0 || keeper->epoll < 0 ||
	    host_turn_watch(keeper, keeper->timer, HOST_SOURCE_TIMER) ||
	    host_turn_watch(keeper, keeper->notice, HOST_SOURCE_NOTICE))
		return fail(err, errno == ENOENT ? EIO : errno,
			    "cannot set up the keeper's event sources: %s", strerror(errno));
	return 0;
}

int reuseport_keeper_open(const struct reuseport_keeper_opts *from, struct reuseport_keeper **out,
			  struct reuseport_error *err)
{
	struct reuseport_keeper *keeper;
	int ret = caps_require("keep", err);

	if (!ret && !out)
		ret = fail(err, EINVAL, "a place for the handle is missing");
	if (ret)
		return ret;
	keeper = calloc(1, sizeof(*keeper));
	if (!keeper)
		return fail(err, ENOMEM, "out of memory");
	keeper->root = keeper->record = keeper->timer = keeper->notice = keeper->epoll = -1;
	keeper->opts.sz = sizeof(keeper->opts);
	ret = opts_copy(&keeper->opts, from, err);
	keeper->entry = (struct keeper_entry){
		.pid = getpid(),
		.kind = keeper->opts.service ? KEEPER_SERVICE : KEEPER_LEFT_BEHIND,
		.started_ns = clock_ns(CLOCK_BOOTTIME),
	};
	keeper->shared.on_event = host_turn_on_event;
	keeper->shared.ctx = keeper;
	if (!ret)
		ret = features_new(&keeper->shared.features, err);
	if (!ret)
		ret = host_keeper_open_sources(keeper, err);
	if (!ret)
		ret = host_keeper_enter_root(keeper, err);
	if (ret) {
		reuseport_keeper__free(keeper);
		return ret;
	}
	/* It has nothing of the attachments, as none is kept yet. */
	standby_start();
	host_turn_arm_timer(keeper);
	*out = keeper;
	return 0;
}

int reuseport_keeper__fd(const struct reuseport_keeper *keeper)
{
	return keeper ? keeper->epoll : -1;
}

void reuseport_keeper__free(struct reuseport_keeper *keeper)
{
	struct host_entry *entry;

	if (!keeper)
		return;
	program_watch_end(keeper);
	standby_end();
	for (size_t i = 0; (entry = item_list_get(&keeper->entries, i)); i++)
		host_scan_release(entry);
	item_list_clear(&keeper->entries, NULL);
	owner_search_all_end(&keeper->shared.search);
	turn_members_end(&keeper->shared.turn);
	event_ring_close(keeper->shared.ring, true);
	group_iter_close(keeper->shared.reader);
	features_free(keeper->shared.features);
	if (keeper->root >= 0)
		root_tidy_after_keeper(keeper->root);
	host_keeper_leave_root(keeper);
	fd_close(keeper->timer);
	fd_close(keeper->notice);
	fd_close(keeper->epoll);
	free(keeper);
}

/* ---------------------------------------------------------------------- loop */

static int host_keeper_count(const struct reuseport_keeper *keeper)
{
	const struct host_entry *entry;
	int count = 0;

	for (size_t i = 0; (entry = item_list_get(&keeper->entries, i)); i++)
		count += entry->group != NULL;
	return count;
}

/* Return whether another bpffs has taken the place of the one that this keeper is of, and its
 * groups have other programs now; see program_watch.c. */
static bool host_keeper_is_left(struct reuseport_keeper *keeper)
{
	return !host_keeper_count(keeper) && host_scan_is_hidden(keeper);
}

/* See what became of the root directory. -ESHUTDOWN: the keeper is to end. */
static int host_keeper_check_root(struct reuseport_keeper *keeper, struct reuseport_error *err)
{
	bool service = keeper->opts.service;

	if (!pin_dir_is_gone(keeper->root) && !pin_dir_has(keeper->root, ROOT_KEEPER))
		host_keeper_note(keeper, NULL);
	if (host_keeper_is_left(keeper))
		return service ?
			       host_keeper_enter_root(keeper, err) :
			       fail(err, ESHUTDOWN, "%s is not in sight any longer", keeper->path);
	if (service)
		return pin_dir_is_gone(keeper->root) ? host_keeper_enter_root(keeper, err) : 0;
	if (!pin_dir_is_gone(keeper->root))
		root_tidy_after_keeper(keeper->root);
	/* What was removed by hand is given back first: see reuseport_group__process(). */
	if (!pin_dir_is_gone(keeper->root) || host_keeper_count(keeper))
		return 0;
	return fail(err, ESHUTDOWN, "there is no attachment any longer");
}

int reuseport_keeper__process(struct reuseport_keeper *keeper, struct reuseport_error *err)
{
	int ret = 0;

	if (!keeper)
		return fail(err, EINVAL, "no handle is given");
	host_turn(keeper);
	if (keeper->scan_due || clock_ns(CLOCK_MONOTONIC) >= keeper->scan_at) {
		if (!keeper->opts.service && pin_dir_has(keeper->root, ROOT_SUCCESSOR) > 0)
			return fail(err, ESHUTDOWN, "another keeper takes over");
		host_scan(keeper);
		ret = host_keeper_check_root(keeper, err);
	}
	if (ret)
		return ret;
	host_turn_tend_ring(keeper);
	host_turn_arm_timer(keeper);
	return host_keeper_count(keeper);
}
