/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * Which process keeps a handle's group: the one that attached, and no child made by
 * fork(), where every handle is closed; but one that was handed over goes to the child.
 */
#ifndef KEEPER_HANDLE_OWNER_H
#define KEEPER_HANDLE_OWNER_H

#include "keeper/handle.h"

/* Note that the calling process keeps the group, from now until it frees the handle. */
void handle_own(struct reuseport_group *group);

/* Return 0 if the calling process keeps the group, else -EPERM; -EINVAL for NULL. */
int handle_owner_check(const struct reuseport_group *group, struct reuseport_error *err);

/* Return whether the calling process keeps a group of that key. */
bool handle_owner_has(const struct reuseport_key *key);

#endif
