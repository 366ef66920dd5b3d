/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* Compile: turns a policy and the workers' weights into the table. */
#ifndef POLICY_TABLE_COMPILE_H
#define POLICY_TABLE_COMPILE_H

#include "abi.h"
#include "host/topology.h"

struct table_spec {
	struct plan plan; /* policy, key, flags */
	uint32_t room;    /* entries there may be, a power of two */
	unsigned int slots;
	const uint32_t *weights; /* by slot, 0 to 1000; 0: nothing for it */
	bool restricted;         /* a worker is there and has weight 0 */
	unsigned int cpu_count, node_count;
	const struct cpus *cpus;  /* by slot; for "cpu" and "numa" only */
	const struct cpus *nodes; /* CPUs of each node; NULL: as this host has them */
	/* A table of the same policy and room, and what it was compiled from: a
	 * small change then is fast. NULL: none. */
	const uint16_t *before;
	const uint32_t *before_weights;
};

/*
 * Writes entries, at most "room" of them, and the width of a row; 0 where the
 * policy goes by the kernel's own group. -ENOMEM.
 */
int table_compile(const struct table_spec *compile, uint16_t *entries, uint32_t *width);

/* Rows that the policy has, but for the last one, of all workers. */
uint32_t table_compile_rows(const struct plan *plan, unsigned int cpu_count,
			    unsigned int node_count);

/* Whether the policy goes by the kernel's own group, without a table. */
bool table_compile_by_group(const struct plan *plan, bool restricted);

#endif
