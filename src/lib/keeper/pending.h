/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * Pending: sockets that were bound and are not in their group yet. A TCP socket joins when it
 * listens, which no event tells, so it is looked at again: at once and often, then less and
 * less often, and after ten seconds only in the slow resync.
 */
#ifndef KEEPER_PENDING_H
#define KEEPER_PENDING_H

#include "keeper/handle.h"

/* Take a socket that was bound, for pending_retry(). */
void pending_begin(struct reuseport_group *group, const struct socket_event *event);

/* Try what is due: those that sock_diag shows in the group join, in a helper beside this process,
 * or here: one socket, and more until loop.call_until. */
void pending_retry(struct reuseport_group *group);

/* Wait until those that are joining have joined, at most as long as a helper may take. */
void pending_finish(struct reuseport_group *group);

/* Return when the next one is due, in time of CLOCK_MONOTONIC; UINT64_MAX if there is none,
 * or a helper has to report first. */
uint64_t pending_due(const struct reuseport_group *group);

#endif
