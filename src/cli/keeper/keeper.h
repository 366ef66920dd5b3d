/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* Keeper: the process that follows the workers, in front or left behind. */
#ifndef CLI_KEEPER_KEEPER_H
#define CLI_KEEPER_KEEPER_H

#include <reuseport_bpf.h>
#include <sys/types.h>

#include "log.h"

/*
 * Keeps the groups until SIGTERM or SIGINT, or until the last of them is
 * detached; frees them and sets them NULL. Steering goes on. Tells a supervisor
 * when it is ready. Returns an exit status.
 */
int keeper_run(struct reuseport_group **groups, size_t n, struct log *log);

/*
 * Leaves a keeper for groups[which] behind. Returns its pid once it is the
 * recorded keeper; 0 in the keeper itself when it is done, with its exit status
 * in *status; -errno on failure.
 */
pid_t keeper_leave_behind(struct reuseport_group **groups, size_t n, size_t which, struct log *log,
			  int *status);

#endif
