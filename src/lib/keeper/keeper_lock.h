/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* Keeper lock: at most one process keeps an attachment, the one that holds the
 * lock on its pins. */
#ifndef KEEPER_KEEPER_LOCK_H
#define KEEPER_KEEPER_LOCK_H

#include "keeper/handle.h"

/*
 * Find the directory of the pins and lock it for the group. Waits while a command
 * has the lock for a moment. -EBUSY: another process is the keeper.
 */
int keeper_lock(struct reuseport_group *group, struct reuseport_error *err);

#endif
