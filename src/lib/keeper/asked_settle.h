/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* Asked settle: tell workers which of their requests are in effect. */
#ifndef KEEPER_ASKED_SETTLE_H
#define KEEPER_ASKED_SETTLE_H

#include "keeper/handle.h"

/* Return until when nothing more is to be taken, 0: take it. The next plan would have to wait for
 * a grace period first, and there was such a wait a moment ago: workers that ask in a loop would
 * hold up all groups. */
uint64_t asked_settle_holds(const struct reuseport_group *group);

/* After a plan was published, or not: write what has changed of the workers, and which requests
 * are in effect. It may wait for an RCU grace period, some 10 ms. */
void asked_settle(struct reuseport_group *group);

#endif
