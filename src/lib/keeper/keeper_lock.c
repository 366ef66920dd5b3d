// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* Keeper lock: at most one process keeps an attachment. */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "clock.h"
#include "error.h"
#include "fd.h"
#include "keeper/keeper_lock.h"
#include "state/attachment_entry.h"
#include "state/kept.h"
#include "state/pin_dir.h"
#include "state/pin_owner.h"
#include "state/pins_root.h"
#include "state/root_lock.h"

#define LOCK_TRIES 20 /* of pins_lock, which takes 100 ms each */
#define COMMAND_TRIES 10
#define COMMAND_PAUSE_MS 5
#define NAME_TRIES 4 /* until the directory is known to be ours */

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
 * made or removed, or are damaged; and see state/kept.h.
 */
static bool keeper_lock_may_be_free(const struct attachment_entry *entry)
{
	return !entry->abi_version || kept_has_ended(entry);
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

/* Return whether that process is the host's keeper. */
static bool keeper_lock_is_of_host(uint32_t pid)
{
	struct keeper_entry keeper;
	char path[64];
	int root = pins_open_root(false, path, sizeof(path), NULL);
	bool is = root >= 0 && !root_lock_read_keeper(root, &keeper) && keeper.pid == pid;

	fd_close(root);
	return is;
}

/* Have the host's keeper give back what another process has kept before. */
static int keeper_lock_ask_back(struct attachment *at, const struct attachment_entry *entry)
{
	int dir, ret;

	if (!entry->own_keeper || !keeper_lock_is_of_host(entry->keeper_pid))
		return -EBUSY;
	dir = pins_open(pins_name_in(at->pin), at->pin, sizeof(at->pin), NULL);
	if (dir < 0)
		return -EBUSY;
	ret = pins_want(dir, at->pin, NULL);
	if (!ret)
		return dir;
	close(dir);
	return -EBUSY;
}

/* Return whether it is a command that has the lock: it attaches at this moment, and leaves what
 * it has made. */
static bool keeper_lock_passes_by(const struct reuseport_group *group,
				  const struct attachment_entry *entry)
{
	bool is_command = !group->own && !group->shared && !group->passing;

	return is_command && entry->keeper_pid && !entry->own_keeper &&
	       !keeper_lock_is_of_host(entry->keeper_pid);
}

/* Lock the directory; wait for another command that attaches to the same group. */
static int keeper_lock_in_turn(struct reuseport_group *group, struct attachment_entry *entry,
			       struct reuseport_error *err)
{
	int lock = keeper_lock_own(group, entry, err);

	for (int tries = 0; lock == -EBUSY && tries < COMMAND_TRIES; tries++) {
		if (!keeper_lock_passes_by(group, entry))
			break;
		clock_sleep_ms(COMMAND_PAUSE_MS);
		lock = keeper_lock_own(group, entry, err);
	}
	return lock;
}

/* Return whether who has the lock is about to make the pins: it has made none yet, or says so. */
static bool keeper_lock_is_of_attach(const struct attachment *at)
{
	char path[REUSEPORT_PATH_MAX];
	int dir = pins_open(pins_name_in(at->pin), path, sizeof(path), NULL);
	bool is = dir >= 0 &&
		  (pin_dir_has(dir, PIN_ATTACHING) > 0 || pin_dir_has(dir, "attachment") == 0);

	fd_close(dir);
	return is;
}

int keeper_lock(struct reuseport_group *group, struct reuseport_error *err)
{
	struct attachment *at = &group->at;
	struct attachment_entry entry = { 0 };
	int lock = keeper_lock_in_turn(group, &entry, err);

	if (lock == -EBUSY && entry.keeper_pid && group->own)
		lock = keeper_lock_ask_back(at, &entry);
	if (lock == -EBUSY && entry.keeper_pid)
		return fail(err, EBUSY,
			    "%s is steered already, its keeper is process %u: nothing "
			    "was changed",
			    at->text, entry.keeper_pid);
	if (lock == -EBUSY && keeper_lock_is_of_attach(at))
		return fail(err, EBUSY,
			    "%s is being attached by another process, which does not finish: try "
			    "again, or end that one; nothing was changed",
			    at->text);
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
