// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* Keeper lock: at most one process keeps an attachment. */
#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "error.h"
#include "fd.h"
#include "keeper/keeper_lock.h"
#include "state/attachment_entry.h"
#include "state/pin_owner.h"

#define LOCK_TRIES 20 /* of pins_lock, which takes 100 ms each */
#define NAME_TRIES 4  /* until the directory is known to be ours */

/* Read the description of what the lock's holder steers; zero where there is none. */
static int keeper_lock_read_entry(const char *name, struct attachment_entry *entry,
				  struct reuseport_error *err)
{
	char path[REUSEPORT_PATH_MAX];
	int dir = pins_open(name, path, sizeof(path), err), ret;
	struct steering pinned;
	uint32_t version;

	*entry = (struct attachment_entry){ 0 };
	if (dir < 0)
		return dir == -ENOENT ? 0 : dir;
	ret = steering_open(&pinned, dir);
	if (!ret || ret == -ENOENT)
		ret = attachment_entry_read(&pinned, entry, &version);
	steering_close(&pinned);
	close(dir);
	if (ret && ret != -EPROTO)
		return fail(err, -ret, "cannot open the pins in %s: %s", path, strerror(-ret));
	if (ret)
		*entry = (struct attachment_entry){ 0 };
	return 0;
}

/*
 * Return whether the lock may soon be free. Without a description the pins are being
 * made or removed, or are damaged; and if the recorded keeper has ended, a command
 * holds the lock for a moment (refresh_unkept.h).
 */
static bool keeper_lock_may_be_free(const struct attachment_entry *entry)
{
	int pidfd;
	bool ended;

	if (!entry->abi_version)
		return true;
	/* A killed process is there until its parent has waited for it. */
	pidfd = syscall(SYS_pidfd_open, entry->keeper_pid, 0);
	ended = pidfd < 0 ? errno == ESRCH : poll(&(struct pollfd){ pidfd, POLLIN, 0 }, 1, 0) == 1;
	fd_close(pidfd);
	return ended;
}

/* Ask the keeper of an earlier namespace with the same inode, which is about to notice that
 * its own is gone. */
static int keeper_lock_take_over(struct attachment *at, const char *name,
				 struct reuseport_error *err)
{
	int dir = pins_open(name, at->pin, sizeof(at->pin), err), ret;

	if (dir >= 0) {
		ret = pins_take_over(dir, at->pin, err);
		if (!ret)
			return dir;
		close(dir);
		dir = ret;
	}
	return dir == -ENOENT ? pins_lock(name, at->pin, sizeof(at->pin), err) : dir;
}

static int keeper_lock_try(struct reuseport_group *group, const char *name,
			   struct attachment_entry *entry, struct reuseport_error *err)
{
	struct attachment *at = &group->at;
	int lock = -EBUSY, ret = 0;

	*entry = (struct attachment_entry){ 0 };
	for (int tries = 0; lock == -EBUSY && keeper_lock_may_be_free(entry) && tries < LOCK_TRIES;
	     tries++) {
		lock = pins_lock(name, at->pin, sizeof(at->pin), err);
		if (lock == -EBUSY)
			ret = keeper_lock_read_entry(name, entry, err);
		if (ret)
			return ret;
	}
	if (lock == -EBUSY && entry->netns_cookie && entry->netns_cookie != group->ns.cookie)
		lock = keeper_lock_take_over(at, name, err);
	return lock;
}

/* Lock the directory of the group, whose path at->pin receives. */
static int keeper_lock_own(struct reuseport_group *group, struct attachment_entry *entry,
			   struct reuseport_error *err)
{
	char name[PINS_NAME_MAX], now[PINS_NAME_MAX];
	struct attachment *at = &group->at;
	int lock, ret;

	for (int tries = 0; tries < NAME_TRIES; tries++) {
		ret = pin_owner_name(&at->key, name, err);
		if (ret)
			return ret;
		lock = keeper_lock_try(group, name, entry, err);
		if (lock < 0 && lock != -EBUSY)
			return lock;
		/* Another uid's group may have taken the plain name meanwhile. */
		ret = pin_owner_name(&at->key, now, err);
		if (!ret && !strcmp(name, now))
			return lock;
		if (lock >= 0) {
			pins_remove_empty(lock, at->pin);
			close(lock);
		}
		if (ret)
			return ret;
	}
	return fail(err, EBUSY, "groups of several users are being attached to %s: try again",
		    at->text);
}

int keeper_lock(struct reuseport_group *group, struct reuseport_error *err)
{
	struct attachment *at = &group->at;
	struct attachment_entry entry = { 0 };
	int lock = keeper_lock_own(group, &entry, err);

	if (lock == -EBUSY && entry.keeper_pid)
		return fail(err, EBUSY,
			    "%s is steered already, its keeper is process %u: nothing "
			    "was changed",
			    at->text, entry.keeper_pid);
	if (lock == -EBUSY)
		return fail(err, EBUSY,
			    "%s is steered already, but its pins are damaged: detach, "
			    "then attach again",
			    at->text);
	if (lock < 0)
		return lock;
	at->dir = lock;
	return 0;
}
