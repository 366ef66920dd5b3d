/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* Topology: CPUs and NUMA nodes of the host, and sets of CPUs. */
#ifndef HOST_TOPOLOGY_H
#define HOST_TOPOLOGY_H

#include <stdbool.h>
#include <stdint.h>

#include "reuseport_bpf.h"

#define CPUS_MAX 8192 /* as many as any Linux is built for */

/* A set of CPUs. */
struct cpus {
	uint64_t words[CPUS_MAX / 64];
};

static inline bool cpus_has(const struct cpus *set, unsigned int cpu)
{
	return set->words[cpu / 64] >> (cpu % 64) & 1;
}

static inline void cpus_add(struct cpus *set, unsigned int cpu)
{
	set->words[cpu / 64] |= 1ULL << (cpu % 64);
}

unsigned int cpus_count(const struct cpus *set);
bool cpus_within(const struct cpus *set, const struct cpus *other);
bool cpus_meet(const struct cpus *set, const struct cpus *other);

/* A list as the kernel writes it, "0-3,8". -EINVAL: malformed, or a CPU beyond
 * CPUS_MAX. The end of it is where *end points, or the end of the text. */
int cpus_parse(const char *text, const char **end, struct cpus *set);

/* The CPUs that a process may run on. -ESRCH: it is gone. */
int cpus_of_process(uint32_t pid, struct cpus *set);

/* CPUs that the host could have; NUMA nodes; both 1 or more. */
unsigned int topology_cpus(void);
unsigned int topology_nodes(void);

/* The CPUs of a node; on a host without NUMA node 0 has all. */
void topology_cpus_of_node(unsigned int node, struct cpus *set);

#endif
