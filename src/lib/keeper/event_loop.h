/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* Event loop: the event sources of a keeper, set up by attach. */
#ifndef KEEPER_EVENT_LOOP_H
#define KEEPER_EVENT_LOOP_H

#include "keeper/handle.h"

/* Open the socket events or polling, the timer and the watch for requests, all in one epoll
 * set. To be called before the first fill, so that nothing is missed. Freed with the group. */
int event_loop_open(struct reuseport_group *group, struct reuseport_error *err);

#endif
