/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * Worker events: what the keeper has seen of its workers, as events that a program reads one after
 * the other. The slots are compared with what was told last, after each turn.
 */
#ifndef KEEPER_WORKER_EVENTS_H
#define KEEPER_WORKER_EVENTS_H

#include "keeper/handle.h"

/* Note what has changed since the last look, as soon as the plan has it. Without a queue, nothing
 * is done in this and the next two. */
void worker_events_look(struct reuseport_group *group);

/* Note that the group is not steered any more. */
void worker_events_end(struct reuseport_group *group);

/* Return when to look whether a draining worker still has something; UINT64_MAX if none is. */
uint64_t worker_events_due(const struct reuseport_group *group);

#endif
