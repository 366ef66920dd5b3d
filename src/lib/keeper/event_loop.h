/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* Event loop: what a keeper does for one group. */
#ifndef KEEPER_EVENT_LOOP_H
#define KEEPER_EVENT_LOOP_H

#include "keeper/handle.h"

/* Take an event of the ring. Return whether it was about the group, which is due then. */
bool event_loop_take(struct reuseport_group *group, const struct socket_event *event);

/* Begin a turn: events that are taken from now on are a part of it. */
void event_loop_begin_turn(struct reuseport_group *group);

/* Do a part of the work. Return how many workers have joined or left, or -errno: -ENETDOWN if
 * the namespace is gone. */
int event_loop_turn(struct reuseport_group *group, struct reuseport_error *err);

/* Return when there must be the next turn, of CLOCK_MONOTONIC; 0: now. Helpers that report
 * before are watched by the epoll set. */
uint64_t event_loop_due(struct reuseport_group *group);

#endif
