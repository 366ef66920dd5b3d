/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * Program watch: whether each group that the host's keeper keeps has its program still. A server
 * can take it off or put its own there at any time, and no event tells of it. So the kernel is
 * asked every second, once for a namespace; less often where that takes long.
 */
#ifndef KEEPER_PROGRAM_WATCH_H
#define KEEPER_PROGRAM_WATCH_H

#include "keeper/host_state.h"

/* Go on with the look that runs, or begin the next one if it is due. */
void program_watch_step(struct reuseport_keeper *keeper);

/* Return the descriptor that is readable when the next step has something to do, -1 if none is
 * needed; *until receives the time by which there must be one, of CLOCK_MONOTONIC. */
int program_watch_fd(const struct reuseport_keeper *keeper, uint64_t *until);

/* End it. */
void program_watch_end(struct reuseport_keeper *keeper);

#endif
