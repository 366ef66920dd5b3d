/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* Resync: when the keeper compares its workers with the kernel's sockets, and what it does then. */
#ifndef KEEPER_RESYNC_H
#define KEEPER_RESYNC_H

#include "keeper/handle.h"

/* Choose the first times, for a loop that begins. */
void resync_begin(struct reuseport_group *group);

/* Do what changes in the group ask for. If there are other members than known ones, compare
 * everything, after a while where one is about to join. */
void resync_follow_changes(struct reuseport_group *group);

/* Compare everything if that is due. -ENETDOWN: the namespace is gone, and so are the pins. */
int resync_if_due(struct reuseport_group *group, struct reuseport_error *err);

/* Choose the time of the next one. */
void resync_plan(struct reuseport_group *group);

#endif
