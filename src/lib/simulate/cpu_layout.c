// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* Machine: the CPUs and nodes of a simulation, this host's or made up. */
#include <errno.h>
#include <stdlib.h>

#include "error.h"
#include "simulate/cpu_layout.h"

void machine_free(struct machine *machine)
{
	free(machine->of_node);
	free(machine->node_of);
	*machine = (struct machine){ 0 };
}

/* Runs of CPUs, as equal as can be. */
static void divide(struct machine *machine)
{
	for (unsigned int cpu = 0; cpu < machine->cpus; cpu++)
		cpus_add(&machine->of_node[(uint64_t)cpu * machine->nodes / machine->cpus], cpu);
}

int machine_make(struct machine *machine, unsigned int cpus, unsigned int nodes,
		 struct reuseport_error *err)
{
	bool host = !cpus && !nodes;

	*machine = (struct machine){
		.cpus = cpus ? cpus : topology_cpus(),
		.nodes = host  ? topology_nodes() :
			 nodes ? nodes :
				 1,
	};
	if (machine->cpus > CPUS_MAX || (!host && machine->nodes > machine->cpus))
		return fail(err, EINVAL,
			    "%u CPUs on %u nodes: there are 1 to %u CPUs, and one or "
			    "more on each node",
			    machine->cpus, machine->nodes, CPUS_MAX);
	machine->of_node = calloc(machine->nodes, sizeof(*machine->of_node));
	machine->node_of = calloc(machine->cpus, sizeof(*machine->node_of));
	if (!machine->of_node || !machine->node_of) {
		machine_free(machine);
		return fail(err, ENOMEM, "out of memory");
	}
	if (!host)
		divide(machine);
	for (unsigned int node = 0; node < machine->nodes; node++) {
		if (host)
			topology_cpus_of_node(node, &machine->of_node[node]);
		for (unsigned int cpu = 0; cpu < machine->cpus; cpu++)
			if (cpus_has(&machine->of_node[node], cpu))
				machine->node_of[cpu] = node;
	}
	return 0;
}
