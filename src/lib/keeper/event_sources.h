/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* Event sources: what wakes a handle, set up by attach. */
#ifndef KEEPER_EVENT_SOURCES_H
#define KEEPER_EVENT_SOURCES_H

#include "keeper/handle.h"

/* Open the event ring or polling; and the timer and the watch for requests, all in one epoll set,
 * unless the host's keeper has them for all. To be called before the first fill, so that nothing
 * is missed. Freed with the group. */
int event_sources_open(struct reuseport_group *group, struct reuseport_error *err);

/* Have __fd readable, when a call outside __process has left work. */
void event_sources_wake(struct reuseport_group *group);

#endif
