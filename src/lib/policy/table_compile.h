/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* Table compiler: turn a policy and the workers' weights into the table. */
#ifndef POLICY_TABLE_COMPILE_H
#define POLICY_TABLE_COMPILE_H

#include "abi.h"
#include "host/topology.h"

/* The input of the compiler. */
struct table_spec {
	struct plan plan; /* policy, key, flags */
	uint32_t room;    /* maximum number of entries, a power of two */
	unsigned int slots;
	const uint32_t *weights; /* by slot, 0 to 1000; 0: no entries */
	bool restricted;         /* some worker has weight 0 */
	unsigned int cpu_count, node_count;
	const struct cpus *cpus;  /* by slot; for "cpu" and "numa" only */
	const struct cpus *nodes; /* CPUs of each node; NULL: as this host has them */
	/* An earlier table of the same policy and room and its weights, which make a small
	 * change fast. NULL: none. */
	const uint16_t *before;
	const uint32_t *before_weights;
};

/*
 * Compile the table: write at most "room" entries, and the width of a row, which is 0 if
 * the policy uses the kernel's own group instead. -ENOMEM.
 */
int table_compile(const struct table_spec *spec, uint16_t *entries, uint32_t *width);

/* Return the number of the policy's rows, without the last one, of all workers. */
uint32_t table_compile_rows(const struct plan *plan, unsigned int cpu_count,
			    unsigned int node_count);

/* Return whether the policy uses the kernel's own group instead of a table. */
bool table_compile_by_group(const struct plan *plan, bool restricted);

#endif
