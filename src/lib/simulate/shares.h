/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* Shares: count the packets of each worker, and those that a change moves. */
#ifndef SIMULATE_SHARES_H
#define SIMULATE_SHARES_H

#include "item_list.h"
#include "reuseport_simulate.h"
#include "simulate/workers.h"

/* Add a struct reuseport_simulated_share for each worker, with its packets; "owners" are
 * slots. *nobody counts packets without a worker. -ENOMEM. */
int shares_count(const struct workers *workers, const uint16_t *owners, size_t n,
		 struct item_list *shares, uint64_t *nobody, struct reuseport_error *err);

/* Fill moved, least and needless of out, whose change is set. -ENOMEM. */
int shares_compare(const uint16_t *before, const uint16_t *after, size_t n, unsigned int slots,
		   struct reuseport_simulated_change *out, struct reuseport_error *err);

/* Fill the ratios to due and to the mean, from the shares. */
void shares_summarize(struct reuseport_simulation *simulation);

/* Return whether there are different weights other than 0. */
bool shares_differ(const struct workers *workers);

#endif
