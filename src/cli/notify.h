/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* Notify: tells a supervisor, by sd_notify(3)'s protocol, how we are. */
#ifndef CLI_NOTIFY_H
#define CLI_NOTIFY_H

/* Sends the state, e.g. "READY=1", if there is somebody to tell. */
void notify(const char *state);

#endif
