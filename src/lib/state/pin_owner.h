/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* Pin owner: whose pins a directory has, and which directory is whose. */
#ifndef STATE_PIN_OWNER_H
#define STATE_PIN_OWNER_H

#include "state/pins.h"

/*
 * Complete the key that a directory's name gives (see pins_parse): the uid and the cookie of
 * the network namespace, as far as they are known. Where an older version has pinned no uid,
 * it is that of the sockets in the array, if they agree.
 */
void pin_owner_read(const char *path, const struct reuseport_key *named, struct reuseport_key *key);

/*
 * Write the path of the directory of a group, attached or not. Its name is the plain one,
 * unless the group is pinned under that with its uid, or the plain one is another uid's.
 * As pins_path().
 */
int pin_owner_path(const struct reuseport_key *key, bool mount, char *path, size_t size,
		   struct reuseport_error *err);

#endif
