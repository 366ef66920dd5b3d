/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* Leave the network namespace: a keeper must not keep one alive. */
#ifndef CLI_KEEPER_LEAVE_NETNS_H
#define CLI_KEEPER_LEAVE_NETNS_H

/* Go to that of process 1, or to an empty one. */
void leave_netns(void);

#endif
