/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* Notify: reports the state of the process to a supervisor, by sd_notify(3)'s protocol. */
#ifndef CLI_KEEPER_NOTIFY_H
#define CLI_KEEPER_NOTIFY_H

/* Return a socket connected to the supervisor, or -1 if there is none. Call this
 * before the keeper leaves its network namespace: an abstract address is valid
 * only in that namespace. */
int notify_open(void);

/* Send the state, e.g. "READY=1". Do nothing if fd is -1. */
void notify_send(int fd, const char *state);

#endif
