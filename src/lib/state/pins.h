/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * Pins: one directory per attachment under bpffs, named after the group's key,
 * and the lock on it (flock) that says whether a keeper runs. The lock goes
 * with the process, so a dead keeper never leaves one behind.
 */
#ifndef STATE_PINS_H
#define STATE_PINS_H

#include "sockets/group_key.h"

#define PIN_PROGRAM "program"     /* made last: with it the pins are whole */
#define PIN_DETACHING "detaching" /* a directory: asks the keeper to let go */
#define PIN_ATTACHING "attaching" /* a directory: not all is pinned yet */
#define PIN_CHANGING "changing"   /* a directory: carries the change lock */

/* "tcp-0_0_0_0-8080-4026531840", with "-dev3" and "-v6only" where they apply. */
void pins_name(const struct reuseport_key *key, char *name, size_t size);
/* The way back; -EINVAL for a name that is not ours. */
int pins_parse(const char *name, struct reuseport_key *key);

/* The directory of an attachment. -ENOENT: bpffs is not mounted; with mount it
 * is mounted first. */
int pins_path(const struct reuseport_key *key, bool mount, char *path, size_t size,
	      struct reuseport_error *err);

/* "path/name", within size bytes. */
const char *pins_join(const char *path, const char *name, char *joined, size_t size);

/*
 * Makes the directory if it is missing and locks it. Returns the fd that holds
 * the lock until every copy of it is closed. -EBUSY: somebody else has it.
 */
int pins_lock(const char *path, struct reuseport_error *err);

/* Asks whoever holds the lock to let go, and takes it. -EBUSY: it does not. */
int pins_take_over(const char *path, struct reuseport_error *err);

/* Whether somebody holds the lock. */
bool pins_locked(const char *path);

/* Unpins what is in the directory and removes it; 0 if it was not there. */
int pins_remove(const char *path);

/* Calls fn for each attachment directory, until it returns nonzero, which is
 * returned; fn then has filled an error of its own. */
typedef int (*pins_fn)(void *ctx, const char *path, const struct reuseport_key *key);
int pins_for_each(pins_fn fn, void *ctx, struct reuseport_error *err);

#endif
