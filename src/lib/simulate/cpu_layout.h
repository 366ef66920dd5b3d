/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* Machine: the CPUs and nodes of a simulation, this host's or made up. */
#ifndef SIMULATE_CPU_LAYOUT_H
#define SIMULATE_CPU_LAYOUT_H

#include "host/topology.h"

struct machine {
	unsigned int cpus, nodes;
	struct cpus *of_node;  /* CPUs of each node */
	unsigned int *node_of; /* of each CPU */
};

/*
 * Both 0: this host as it is. Else "cpus", 0 for as many as this host has, are
 * divided evenly among "nodes", 0 for one. -EINVAL: more nodes than CPUs; -ENOMEM.
 */
int machine_make(struct machine *machine, unsigned int cpus, unsigned int nodes,
		 struct reuseport_error *err);
void machine_free(struct machine *machine);

#endif
