/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* Host: the process that keeps all attachments: the command keeper, and what attach leaves
 * behind. */
#ifndef CLI_KEEPER_HOST_H
#define CLI_KEEPER_HOST_H

#include <reuseport_keeper.h>

#include "keeper/log_files.h"

/* Get ready to keep: leave the network namespace, so as not to keep it alive, give up
 * privileges, and allow as many descriptors as the hard limit. Return an exit status. */
int host_prepare(void);

/*
 * Keep until SIGTERM or SIGINT, or until there is nothing to keep; then free the handle.
 * SIGHUP opens the log files again. Notify the supervisor, unless the descriptor is -1, once
 * what was there is kept. Return an exit status.
 */
int host_run(struct reuseport_keeper *keeper, struct log_files *logs, int supervisor);

/*
 * Leave a keeper behind, in a process of its own, unless another process becomes the keeper
 * meanwhile. Return its pid, or a negative number with an error. In the keeper itself, return
 * when it ends, with *ended set and its exit status in *status.
 */
pid_t host_leave_behind(bool *ended, int *status, struct reuseport_error *err);

#endif
