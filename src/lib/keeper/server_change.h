/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * Server change: notice that a worker has other CPUs, or is served by another process on the same
 * socket, which no event tells. That is for policies "cpu" and "numa", which go by both. It costs
 * the same whatever the server does: a look at the processes that are known and at the sockets in
 * the slots.
 */
#ifndef KEEPER_SERVER_CHANGE_H
#define KEEPER_SERVER_CHANGE_H

#include "keeper/handle.h"

/* Look, and ask for a search of the processes that serve if there may be another one. Return
 * whether a worker has other CPUs than at the last look. */
bool server_change_look(struct reuseport_group *group);

/* A search is over; changed: a worker has another process than before. */
void server_change_note(struct reuseport_group *group, bool changed);

#endif
