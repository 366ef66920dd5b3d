// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* Leave: give a group to the host's keeper, which adopts it. */
#include <bpf/bpf.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "clock.h"
#include "error.h"
#include "fd.h"
#include "keeper/handle_owner.h"
#include "reuseport_keeper.h"
#include "state/pin_dir.h"
#include "state/pins.h"
#include "state/pins_root.h"
#include "state/root_lock.h"

#define PAUSE_MS 2
#define WAKE_EVERY 250 /* looks */
#define FAILED_MS 2000 /* how long a keeper that has failed may try again */

/* What is needed of the pins once the lock on them is gone. */
struct leaving {
	int root, dir, map;
};

static void leave_close(struct leaving *leaving)
{
	fd_close(leaving->root);
	fd_close(leaving->dir);
	fd_close(leaving->map);
}

/* Open what is needed. -ENOENT: there is no keeper. */
static int leave_open(const struct reuseport_group *group, struct leaving *leaving,
		      struct reuseport_error *err)
{
	char path[REUSEPORT_PATH_MAX], root_path[64];
	int held;

	*leaving = (struct leaving){ -1, -1, -1 };
	leaving->root = pins_open_root(false, root_path, sizeof(root_path), err);
	held = leaving->root < 0 ? 0 : root_lock_is_held(leaving->root);
	if (leaving->root < 0 && leaving->root != -ENOENT)
		return leaving->root;
	if (held < 0)
		return fail(err, -held, "cannot examine %s: %s", root_path, strerror(-held));
	if (!held)
		return fail(err, ENOENT, "no process is the keeper of this host");
	leaving->dir = pins_open(pins_name_in(group->at.pin), path, sizeof(path), err);
	if (leaving->dir == -ENOENT)
		return fail(err, ESTALE, "%s was detached meanwhile", group->at.text);
	if (leaving->dir < 0)
		return leaving->dir;
	leaving->map = pin_dir_get(leaving->dir, "attachment");
	return leaving->map >= 0 ? 0 :
				   fail(err, -leaving->map, "cannot open %s/attachment: %s", path,
					strerror(-leaving->map));
}

/* Return the pid of the process that keeps the attachment now, or 0. */
static uint32_t leave_kept_by(const struct leaving *leaving)
{
	struct attachment_entry entry;
	uint32_t zero = 0;

	if (bpf_map_lookup_elem(leaving->map, &zero, &entry) ||
	    entry.keeper_pid == (uint32_t)getpid())
		return 0;
	return pins_locked(leaving->dir) == 1 ? entry.keeper_pid : 0;
}

/* Read what the host's keeper says of itself. Return whether it has failed to keep this one. */
static bool leave_has_failed(const struct leaving *leaving, struct keeper_entry *keeper)
{
	struct stat st;

	*keeper = (struct keeper_entry){ 0 };
	return !root_lock_read_keeper(leaving->root, keeper) && !fstat(leaving->dir, &st) &&
	       keeper->failed == st.st_ino;
}

/* It may have less privileges than this process, or wait for something. */
static int leave_timed_out(const struct reuseport_group *group, const struct leaving *leaving,
			   struct reuseport_error *err)
{
	struct keeper_entry keeper;

	if (leave_has_failed(leaving, &keeper))
		return fail(err, ETIMEDOUT,
			    "process %u, the keeper of this host, cannot keep %s: %.200s; to have "
			    "another keeper, 'kill %u' and attach again",
			    keeper.pid, group->at.text, keeper.reason, keeper.pid);
	return fail(err, ETIMEDOUT,
		    "process %u, the keeper of this host, does not answer: %s is not kept; to have "
		    "another keeper, 'kill -KILL %u' and attach again",
		    keeper.pid, group->at.text, keeper.pid);
}

/* Return until when to wait. A keeper that has failed was woken to try again; most reasons stay. */
static uint64_t leave_until(const struct leaving *leaving, uint64_t now, uint64_t until)
{
	struct keeper_entry keeper;
	uint64_t sooner = now + FAILED_MS * CLOCK_MS;

	return sooner < until && leave_has_failed(leaving, &keeper) ? sooner : until;
}

static int leave_wait(const struct reuseport_group *group, const struct leaving *leaving,
		      unsigned int timeout_ms, struct reuseport_error *err)
{
	uint64_t now = clock_ns(CLOCK_MONOTONIC), until = now + timeout_ms * CLOCK_MS;
	uint32_t pid;

	for (unsigned int looks = 0; !(pid = leave_kept_by(leaving)); looks++) {
		if (pin_dir_is_gone(leaving->dir))
			return fail(err, ESTALE, "%s was detached meanwhile", group->at.text);
		if (!root_lock_is_held(leaving->root))
			return fail(err, ENOENT, "the keeper of this host has ended");
		now = clock_ns(CLOCK_MONOTONIC);
		if (now >= until)
			return leave_timed_out(group, leaving, err);
		if (looks % WAKE_EVERY == 0) {
			root_lock_wake(leaving->root);
			until = leave_until(leaving, now, until);
		}
		clock_sleep_ms(PAUSE_MS);
	}
	return pid;
}

/* Say that it is this process that does not keep it any longer, and release the lock. */
static int leave_release(struct reuseport_group *group, struct reuseport_error *err)
{
	int ret;

	if (group->owner.state == HANDLE_LEFT)
		return 0;
	ret = reuseport_group__keep(group, err);
	if (ret)
		return ret;
	group->owner.state = HANDLE_LEFT;
	handle_close(group);
	return 0;
}

int reuseport_group__leave(struct reuseport_group *group, unsigned int timeout_ms,
			   struct reuseport_error *err)
{
	struct leaving leaving;
	int ret;

	if (!group || group->owner.state != HANDLE_LEFT) {
		ret = handle_owner_check(group, err);
		if (ret)
			return ret;
	}
	ret = leave_open(group, &leaving, err);
	if (!ret)
		ret = leave_release(group, err);
	if (!ret)
		ret = leave_wait(group, &leaving, timeout_ms, err);
	leave_close(&leaving);
	return ret;
}
