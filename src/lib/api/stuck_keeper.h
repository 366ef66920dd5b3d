/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* Stuck keeper: find the process that holds the lock on pins and does not react, and end it. */
#ifndef API_STUCK_KEEPER_H
#define API_STUCK_KEEPER_H

#include "reuseport_bpf.h"

/*
 * Kill a keeper of the command that holds the lock on the open directory; path is for
 * messages. -EBUSY: another program holds it, such as a server that keeps its own group,
 * and is left alone. 0: it was killed, or none was found.
 */
int stuck_keeper_end(int dir, const char *path, struct reuseport_error *err);

#endif
