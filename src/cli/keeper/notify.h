/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* Notify: tells a supervisor, by sd_notify(3)'s protocol, how we are. */
#ifndef CLI_KEEPER_NOTIFY_H
#define CLI_KEEPER_NOTIFY_H

/* A socket connected to the supervisor; -1 if there is none. Made before the
 * keeper leaves its network namespace, where an abstract address has its
 * meaning. */
int notify_open(void);

/* Sends the state, e.g. "READY=1"; fd may be -1. */
void notify(int fd, const char *state);

#endif
