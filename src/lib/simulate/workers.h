/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* Workers: the workers of a simulation, and their joins, leaves and weights. */
#ifndef SIMULATE_WORKERS_H
#define SIMULATE_WORKERS_H

#include "reuseport_simulate.h"

struct workers {
	unsigned int slots;
	uint32_t *weights; /* by slot */
	uint32_t *pids;    /* by slot; 0: not known */
	bool *present;     /* by slot */
	uint16_t *members; /* slots, in the order of the kernel's group */
	unsigned int n;    /* number of workers */
};

/* Make the workers from a caller's array; the group has them in the order given. -EINVAL: a
 * slot or a weight is wrong; -EINVAL, -E2BIG: as opts_copy_element(); -ENOMEM. */
int workers_make(struct workers *workers, unsigned int slots,
		 const struct reuseport_simulated_worker *list, size_t n,
		 struct reuseport_error *err);
int workers_copy(struct workers *copy, const struct workers *workers, struct reuseport_error *err);
void workers_free(struct workers *workers);

/* Apply a change. Fill in the slot and the weight of a worker that joins. -EINVAL: there
 * is no such worker, or none would be left. */
int workers_change(struct workers *workers, struct reuseport_change *change,
		   struct reuseport_error *err);

/* Return whether some worker has weight 0. */
bool workers_restricted(const struct workers *workers);

#endif
