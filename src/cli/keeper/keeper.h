/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* Keeper: the process that follows the workers, in the foreground or the background. */
#ifndef CLI_KEEPER_KEEPER_H
#define CLI_KEEPER_KEEPER_H

#include <reuseport_bpf.h>
#include <sys/types.h>

#include "log.h"

/*
 * Keep the groups until SIGTERM or SIGINT, or until the last of them is detached.
 * Then free them and set them to NULL; steering continues. Notify the supervisor
 * when ready. Return an exit status.
 */
int keeper_run(struct reuseport_group **groups, size_t n, struct log *log);

/*
 * Fork a keeper for groups[which] into the background. Return its pid once it is
 * the recorded keeper, or -errno on failure. In the keeper itself, return 0 when
 * it ends, with its exit status in *status.
 */
pid_t keeper_fork(struct reuseport_group **groups, size_t n, size_t which, struct log *log,
		  int *status);

#endif
