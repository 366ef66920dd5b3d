/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* Keep: the event sources of a keeper, set up by attach. */
#ifndef KEEPER_EVENT_LOOP_H
#define KEEPER_EVENT_LOOP_H

#include "keeper/handle.h"

/* Events or polling, the timer, the request to let go; all in one epoll set.
 * Before the first fill, so that nothing is missed in between. They go with the
 * group. */
int event_loop_open(struct reuseport_group *group, struct reuseport_error *err);

#endif
