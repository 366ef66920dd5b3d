/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* Shares: what each worker of a simulation got, and what moved between two. */
#ifndef SIMULATE_SHARES_H
#define SIMULATE_SHARES_H

#include "reuseport_simulate.h"
#include "simulate/workers.h"

/* "owners" are slots; what is of nobody is counted apart. -ENOMEM. */
int shares_count(const struct crowd *crowd, const uint16_t *owners, size_t n,
		 struct reuseport_simulated_share **shares, uint64_t *nobody,
		 struct reuseport_error *err);

/* Fills moved, least and needless of out, whose change is set. -ENOMEM. */
int shares_compare(const uint16_t *before, const uint16_t *after, size_t n, unsigned int slots,
		   struct reuseport_simulated_change *out, struct reuseport_error *err);

/* Fills what is over due and over mean, from the shares. */
void shares_summarize(struct reuseport_simulation *simulation);

/* Weights other than 0 are not all the same. */
bool shares_differ(const struct crowd *crowd);

#endif
