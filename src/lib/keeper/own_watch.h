/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * Own watch: whether a group that its process keeps for itself has its program still; see
 * program_watch.h for those of the host's keeper. Only where looks run beside this process
 * (reuseport_isolate.h): the answer can take as long as another process holds a socket's lock.
 */
#ifndef KEEPER_OWN_WATCH_H
#define KEEPER_OWN_WATCH_H

#include "keeper/handle.h"

/* Go on with the look that runs, or begin the next one if it is due. */
void own_watch_step(struct reuseport_group *group);

#endif
