/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* Crowd: the workers of a simulation, and what a join, a leave or a weight does. */
#ifndef SIMULATE_WORKERS_H
#define SIMULATE_WORKERS_H

#include "reuseport_simulate.h"

struct crowd {
	unsigned int slots;
	uint32_t *weights; /* by slot */
	uint32_t *pids;    /* by slot; 0: not known */
	bool *there;       /* by slot */
	uint16_t *members; /* slots, in the order of the kernel's group */
	unsigned int n;    /* workers */
};

/* The members are in the order given. -EINVAL: they are no workers; -ENOMEM. */
int crowd_make(struct crowd *crowd, unsigned int slots,
	       const struct reuseport_simulated_worker *workers, size_t n,
	       struct reuseport_error *err);
int crowd_copy(struct crowd *copy, const struct crowd *crowd, struct reuseport_error *err);
void crowd_free(struct crowd *crowd);

/* Fills in the slot and the weight of who joins. -EINVAL: there is no such worker, or
 * nobody would be left. */
int crowd_change(struct crowd *crowd, struct reuseport_change *change, struct reuseport_error *err);

/* A worker is there and has weight 0. */
bool crowd_restricted(const struct crowd *crowd);

#endif
