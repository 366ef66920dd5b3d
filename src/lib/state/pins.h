/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * Pins: one directory per attachment under bpffs, named after the group's key. A keeper holds
 * the lock on it (flock). The lock ends with the process, so a keeper that was killed never
 * leaves one behind.
 */
#ifndef STATE_PINS_H
#define STATE_PINS_H

#include "sockets/group_key.h"

#define PIN_PROGRAM "program"     /* made last: with it the pins are complete */
#define PIN_DETACHING "detaching" /* a directory: asks the keeper to release the lock */
#define PIN_ATTACHING "attaching" /* a directory: the pins are not complete yet */
#define PIN_CHANGING "changing"   /* a directory: carries the plan lock */

/* Write "tcp-0_0_0_0-8080-4026531840", with "-dev3", "-v6only" and "-uid33" where they apply.
 * The uid is in the name where the plain one is taken: see attachment_pin(). */
void pins_name(const struct reuseport_key *key, char *name, size_t size);
/* Parse such a name. -EINVAL: it is not ours. */
int pins_parse(const char *name, struct reuseport_key *key);

/* Write the path of an attachment's directory. mount: mount bpffs if it is missing. -ENOENT:
 * bpffs is not mounted. */
int pins_path(const struct reuseport_key *key, bool mount, char *path, size_t size,
	      struct reuseport_error *err);

/* Write "path/name", within size bytes, and return it. */
const char *pins_join(const char *path, const char *name, char *joined, size_t size);

/*
 * Make the directory if it is missing, and lock it. Returns the fd that holds the lock until
 * every copy of it is closed. -EBUSY: another process has the lock.
 */
int pins_lock(const char *path, struct reuseport_error *err);

/* Ask the process that holds the lock to release it, and take it. -EBUSY: it does not. */
int pins_take_over(const char *path, struct reuseport_error *err);

/* Return whether a process holds the lock. */
bool pins_locked(const char *path);

/* Unpin everything in the directory and remove it. Returns 0 if it was not there. */
int pins_remove(const char *path);

/* Call fn for each attachment's directory until it returns nonzero, which is returned; fn
 * fills an error of its own. */
typedef int (*pins_fn)(void *ctx, const char *path, const struct reuseport_key *key);
int pins_for_each(pins_fn fn, void *ctx, struct reuseport_error *err);

#endif
