/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* Attach, stopped: the server stops while an attach looks at it. */
#ifndef KEEPER_ATTACH_STOPPED_H
#define KEEPER_ATTACH_STOPPED_H

#include "keeper/handle.h"
#include "sockets/group_members.h"

/*
 * An attach has failed with "ret". If the sockets that it has begun with are all closed, that is
 * why, whatever it has found out in between: fail with -ENOENT, and blame nobody. Otherwise, and
 * where a limit of this process or of the kernel has hindered it, return ret.
 */
int attach_stopped(const struct reuseport_group *group, const struct group_members *members,
		   int ret, struct reuseport_error *err);

#endif
