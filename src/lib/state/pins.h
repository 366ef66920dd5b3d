/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * Pins: one directory per attachment under bpffs, named after the group's key. A keeper holds
 * the lock on it (flock). The lock ends with the process, so a keeper that was killed never
 * leaves one behind.
 */
#ifndef STATE_PINS_H
#define STATE_PINS_H

#include "state/pins_name.h"

#define PIN_PROGRAM "program"     /* made last: with it the pins are complete */
#define PIN_DETACHING "detaching" /* a directory: asks the keeper to release the lock */
#define PIN_WANTED "wanted"       /* a directory: asks the host's keeper for that */
#define PIN_ATTACHING "attaching" /* a directory: the pins are not complete yet */
#define PIN_CHANGING "changing"   /* a directory: carries the plan lock */
#define PIN_CHANGED "changed"     /* a directory, for a moment: the policy was changed */

/* Return the name at the end of a directory's path. */
const char *pins_name_in(const char *path);

/*
 * Open the directory with that name, of an attachment, and write its path. Return the
 * fd or -errno. -ENOENT, without an error: nothing is pinned. -ENODEV: there is no bpffs in
 * this private mount namespace. -EPERM: it is not safe to use, see state/pin_dir.h.
 */
int pins_open(const char *name, char *path, size_t size, struct reuseport_error *err);

/*
 * Open the directory likewise and lock it; make it, and mount bpffs, if they are missing.
 * Returns the fd, which holds the lock until every copy of it is closed. -EBUSY: another
 * process has the lock.
 */
int pins_lock(const char *name, char *path, size_t size, struct reuseport_error *err);

/* Lock a directory that is open. -ENOENT, without an error: it was removed meanwhile. */
int pins_lock_again(int dir, const char *path, struct reuseport_error *err);

/* Do the same after asking the process that holds the lock to release it. -EBUSY: it does
 * not, and the request, PIN_DETACHING, still stands. */
int pins_take_over(int dir, const char *path, struct reuseport_error *err);

/* Do the same where the host's keeper holds the lock, which gives it back; no request is left. */
int pins_want(int dir, const char *path, struct reuseport_error *err);

/* Return whether another process holds the lock: 1, 0 or -errno. The caller must not
 * hold it. */
int pins_locked(int dir);

/* Return whether the directory was removed, or bpffs unmounted. What cannot be looked at is
 * not gone. */
bool pins_are_gone(int dir, const char *path);

/* Remove the directory if nothing is in it. */
void pins_remove_empty(int dir, const char *path);

/* Remove the hooks and the common directory if there is no attachment: where pins were removed
 * by hand, nothing else does. */
void pins_tidy(void);

/* Unpin everything in the directory and remove it. Returns 0 if it is gone already. */
int pins_remove(int dir, const char *path);

/* The directory of one attachment. */
struct pins_entry {
	const struct reuseport_key *named; /* the key, as far as the name has it */
	const char *path;
	int dir; /* open for the time of the call; negative: it is not safe to use, */
	const struct reuseport_error *refusal; /* and why */
};

/* Call fn for each attachment's directory until it returns nonzero, which is returned; fn
 * fills an error of its own. */
typedef int (*pins_fn)(void *ctx, const struct pins_entry *entry);
int pins_for_each(pins_fn fn, void *ctx, struct reuseport_error *err);

/* Do the same in the bpffs that is mounted there; nothing if none is. */
int pins_for_each_at(const char *bpffs, pins_fn fn, void *ctx, struct reuseport_error *err);

#endif
