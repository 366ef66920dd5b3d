// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* CPU layout: the CPUs and nodes of a simulation, this host's or generated. */
#include <errno.h>
#include <stdlib.h>

#include "error.h"
#include "simulate/cpu_layout.h"

void cpu_layout_free(struct cpu_layout *layout)
{
	free(layout->of_node);
	free(layout->node_of);
	*layout = (struct cpu_layout){ 0 };
}

/* Give each node a range of CPUs, of nearly equal length. */
static void divide_cpus(struct cpu_layout *layout)
{
	for (unsigned int cpu = 0; cpu < layout->cpus; cpu++)
		cpus_add(&layout->of_node[(uint64_t)cpu * layout->nodes / layout->cpus], cpu);
}

int cpu_layout_make(struct cpu_layout *layout, unsigned int cpus, unsigned int nodes,
		    struct reuseport_error *err)
{
	bool host = !cpus && !nodes;

	*layout = (struct cpu_layout){
		.cpus = cpus ? cpus : topology_cpus(),
		.nodes = host  ? topology_nodes() :
			 nodes ? nodes :
				 1,
	};
	if (layout->cpus > CPUS_MAX || (!host && layout->nodes > layout->cpus))
		return fail(err, EINVAL,
			    "%u CPUs on %u nodes: there must be 1 to %u CPUs, and one or "
			    "more on each node",
			    layout->cpus, layout->nodes, CPUS_MAX);
	layout->of_node = calloc(layout->nodes, sizeof(*layout->of_node));
	layout->node_of = calloc(layout->cpus, sizeof(*layout->node_of));
	if (!layout->of_node || !layout->node_of) {
		cpu_layout_free(layout);
		return fail(err, ENOMEM, "out of memory");
	}
	if (!host)
		divide_cpus(layout);
	for (unsigned int node = 0; node < layout->nodes; node++) {
		if (host)
			topology_cpus_of_node(node, &layout->of_node[node]);
		for (unsigned int cpu = 0; cpu < layout->cpus; cpu++)
			if (cpus_has(&layout->of_node[node], cpu))
				layout->node_of[cpu] = node;
	}
	return 0;
}
