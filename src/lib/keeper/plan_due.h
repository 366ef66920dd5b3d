/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* Plan due: publish a plan when the workers have changed, beside the keeper's other work. */
#ifndef KEEPER_PLAN_DUE_H
#define KEEPER_PLAN_DUE_H

#include "keeper/handle.h"

/* Publish if workers may have joined, left, or moved to other CPUs. */
void plan_due_publish(struct reuseport_group *group);

/* Return whether something is to be published, so that the plan in use may be another. */
bool plan_due_is_pending(const struct reuseport_group *group);

/* Synchronize now, when there is nothing else to do, rather than before the next plan: it
 * takes some milliseconds. While another process holds the lock, do it later. */
void plan_due_synchronize(struct reuseport_group *group);

#endif
