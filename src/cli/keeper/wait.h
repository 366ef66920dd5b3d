/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* Wait: for what a keeper has to do. */
#ifndef CLI_KEEPER_WAIT_H
#define CLI_KEEPER_WAIT_H

#include <poll.h>

/* Wait as poll() does. Where poll() fails, as with a limit of few descriptors, wait a moment and
 * take all for ready: a keeper does not end for that. Return how many are ready. */
int keeper_wait(struct pollfd *fds, nfds_t n, int timeout_ms);

#endif
