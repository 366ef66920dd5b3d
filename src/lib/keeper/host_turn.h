/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* Host turn: what the host's keeper does for its groups, one turn after the other. */
#ifndef KEEPER_HOST_TURN_H
#define KEEPER_HOST_TURN_H

#include "keeper/host_state.h"

/* What is in the epoll set, beside the helpers of the groups, which have the entries' ids. */
enum host_source {
	HOST_SOURCE_TIMER = 1,
	HOST_SOURCE_NOTICE,
	HOST_SOURCE_RING,
	HOST_SOURCE_SEARCH,
	HOST_SOURCE_PROGRAMS,
	HOST_SOURCES, /* the ids of entries are higher */
};

/* Put a descriptor into the epoll set. Return 0 or -1, with errno. */
int host_turn_watch(struct reuseport_keeper *keeper, int fd, enum host_source source);

/* Hand an event to the groups that it is about. Return whether there is time for another. */
bool host_turn_on_event(void *ctx, const struct socket_event *event);

/*
 * Do what is due, for a bounded time: events first, then the groups that they are about, those
 * whose helpers have reported, and the others in turn, so that none can keep the others waiting.
 */
void host_turn(struct reuseport_keeper *keeper);

/* Watch the ring, which the first attachment opens, and see now and then that it is whole. */
void host_turn_tend_ring(struct reuseport_keeper *keeper);

/* Have the next turn when something is due. */
void host_turn_arm_timer(struct reuseport_keeper *keeper);

#endif
