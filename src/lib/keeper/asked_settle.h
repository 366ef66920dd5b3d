/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* Asked settle: tell workers which of their requests are in effect. */
#ifndef KEEPER_ASKED_SETTLE_H
#define KEEPER_ASKED_SETTLE_H

#include "keeper/handle.h"

/* After a plan was published, or not: write what has changed of the workers, and which requests
 * are in effect. It may wait for an RCU grace period, some 10 ms. */
void asked_settle(struct reuseport_group *group);

#endif
