/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* Attach, left out: members that have no slot after the array was filled. */
#ifndef KEEPER_ATTACH_LEFT_OUT_H
#define KEEPER_ATTACH_LEFT_OUT_H

#include "keeper/membership.h"
#include "sockets/group_members.h"

/* Fail, naming them, if there are members that cannot be taken: they would get little or nothing.
 * A member that does not let itself be looked into does not decide for the others. */
int attach_refuse_partial(const struct reuseport_group *group, const struct group_members *members,
			  const struct membership_fill *fill, struct reuseport_error *err);

/* Log how many have no slot, and why. Those that have left meanwhile do not count. */
void attach_log_left_out(struct reuseport_group *group, const struct group_members *members,
			 const struct membership_fill *fill);

#endif
