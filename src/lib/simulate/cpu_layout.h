/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* CPU layout: the CPUs and nodes of a simulation, this host's or generated. */
#ifndef SIMULATE_CPU_LAYOUT_H
#define SIMULATE_CPU_LAYOUT_H

#include "host/topology.h"

struct cpu_layout {
	unsigned int cpus, nodes;
	struct cpus *of_node;  /* CPUs of each node */
	unsigned int *node_of; /* of each CPU */
};

/*
 * Make a layout. Both 0: as this host. Else divide "cpus" (0: as many as this host has)
 * evenly among "nodes" (0: one). -EINVAL: more nodes than CPUs; -ENOMEM.
 */
int cpu_layout_make(struct cpu_layout *layout, unsigned int cpus, unsigned int nodes,
		    struct reuseport_error *err);
void cpu_layout_free(struct cpu_layout *layout);

#endif
