/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* Pin owner: whose pins a directory has, and which directory is whose. */
#ifndef STATE_PIN_OWNER_H
#define STATE_PIN_OWNER_H

#include "state/pins.h"

/*
 * Complete the key that the name of an open directory gives (see pins_parse): the uid and the
 * cookie of the network namespace, as far as they are known. Where an older version has pinned
 * no uid, it is that of the sockets in the array, if they agree. path is for messages.
 * Return 0 or -errno.
 */
int pin_owner_read(int dir, const char *path, const struct reuseport_key *named,
		   struct reuseport_key *key, struct reuseport_error *err);

/*
 * Write the name of the directory of a group, attached or not. It is the plain one, unless
 * the group is pinned under that with its uid, or the plain one is another uid's. Return 0
 * or -errno.
 */
int pin_owner_name(const struct reuseport_key *key, char name[PINS_NAME_MAX],
		   struct reuseport_error *err);

/* Open that directory, as pins_open(). */
int pin_owner_open(const struct reuseport_key *key, char *path, size_t size,
		   struct reuseport_error *err);

#endif
