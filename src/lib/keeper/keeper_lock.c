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
#define PATH_TRIES 4  /* until the directory is known to be ours */

/* Return the description of what the process that has the lock steers; zero where it cannot be
 * read. */
static struct attachment_entry keeper_lock_read_entry(const char *path)
{
	struct attachment_entry entry;
	struct steering pinned;
	uint32_t version;

	steering_open(&pinned, path);
	if (attachment_entry_read(&pinned, &entry, &version))
		entry = (struct attachment_entry){ 0 };
	steering_close(&pinned);
	return entry;
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

static int keeper_lock_try(struct reuseport_group *group, struct attachment_entry *entry,
			   struct reuseport_error *err)
{
	int lock = -EBUSY;

	*entry = (struct attachment_entry){ 0 };
	for (int tries = 0; lock == -EBUSY && keeper_lock_may_be_free(entry) && tries < LOCK_TRIES;
	     tries++) {
		lock = pins_lock(group->at.pin, err);
		if (lock == -EBUSY)
			*entry = keeper_lock_read_entry(group->at.pin);
	}
	/* The pins of an earlier namespace with the same inode: its keeper is about to
	 * notice that it is gone. */
	if (lock == -EBUSY && entry->netns_cookie && entry->netns_cookie != group->ns.cookie)
		lock = pins_take_over(group->at.pin, err);
	return lock;
}

/* Return whether the directory is not the group's after all: another uid's group has taken
 * the plain name meanwhile. */
static bool keeper_lock_is_of_other(const struct attachment *at)
{
	char path[REUSEPORT_PATH_MAX];

	return !pin_owner_path(&at->key, false, path, sizeof(path), NULL) && strcmp(path, at->pin);
}

/* Lock the directory of the group, whose path at->pin receives. */
static int keeper_lock_own(struct reuseport_group *group, struct attachment_entry *entry,
			   struct reuseport_error *err)
{
	struct attachment *at = &group->at;
	int lock = -EAGAIN, ret;

	for (int tries = 0; lock == -EAGAIN && tries < PATH_TRIES; tries++) {
		ret = pin_owner_path(&at->key, true, at->pin, sizeof(at->pin), err);
		if (ret)
			return ret;
		lock = keeper_lock_try(group, entry, err);
		if ((lock < 0 && lock != -EBUSY) || !keeper_lock_is_of_other(at))
			return lock;
		fd_close(lock);
		lock = -EAGAIN;
	}
	return fail(err, EBUSY, "groups of several users are being attached to %s: try again",
		    at->text);
}

int keeper_lock(struct reuseport_group *group, struct reuseport_error *err)
{
	struct attachment *at = &group->at;
	struct attachment_entry entry = { 0 };
	int lock;

	lock = keeper_lock_own(group, &entry, err);
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
	group->lock = lock;
	return 0;
}
