/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* Keeper: a process in the foreground that follows the workers of some groups. */
#ifndef CLI_KEEPER_KEEPER_H
#define CLI_KEEPER_KEEPER_H

#include <reuseport_bpf.h>

#include "log.h"

/*
 * Keep the groups until SIGTERM or SIGINT, or until the last of them is detached.
 * Then free them and set them to NULL; steering continues. Notify the supervisor
 * when ready. Return an exit status.
 */
int keeper_run(struct reuseport_group **groups, size_t n, struct log *log);

#endif
