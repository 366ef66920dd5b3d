/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* Topology: the CPUs and NUMA nodes of the host, and sets of CPUs. */
#ifndef HOST_TOPOLOGY_H
#define HOST_TOPOLOGY_H

#include <stdbool.h>
#include <stdint.h>

#include "reuseport_bpf.h"

#define CPUS_MAX 8192 /* the largest NR_CPUS that Linux can be built for */

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

/* Return the number of CPUs in the set; whether all, or any, are in the other set. */
unsigned int cpus_count(const struct cpus *set);
bool cpus_within(const struct cpus *set, const struct cpus *other);
bool cpus_meet(const struct cpus *set, const struct cpus *other);

/* Parse a list as the kernel writes it, "0-3,8", and set *end to the first character
 * after it. -EINVAL: it is malformed, or has a CPU beyond CPUS_MAX. */
int cpus_parse(const char *text, const char **end, struct cpus *set);

/* Read the CPUs that a process may run on. -ESRCH: it is gone. */
int cpus_of_process(uint32_t pid, struct cpus *set);

/* Return the number of possible CPUs and of NUMA nodes, both 1 or more. */
unsigned int topology_cpus(void);
unsigned int topology_nodes(void);

/* Read the CPUs of a node. On a host without NUMA, node 0 has all. */
void topology_cpus_of_node(unsigned int node, struct cpus *set);

#endif
