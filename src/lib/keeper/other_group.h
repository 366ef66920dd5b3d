/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* Other group: one that comes to the port of a steered group, and is not steered itself, is
 * named in the log. */
#ifndef KEEPER_OTHER_GROUP_H
#define KEEPER_OTHER_GROUP_H

#include "keeper/handle.h"

/* Note a socket that was bound, but is not of this group. Return whether it is on its port. */
bool other_group_note(struct reuseport_group *group, const struct socket_event *event);

/* Name the group of the one that was noted, once, if it is still there and not steered. */
void other_group_name(struct reuseport_group *group);

#endif
