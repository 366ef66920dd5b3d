/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* Worker CPUs: where policies "cpu" and "numa" take a worker to run. */
#ifndef STATE_WORKER_CPUS_H
#define STATE_WORKER_CPUS_H

#include "abi.h"
#include "host/topology.h"

/* Return whether SO_INCOMING_CPU names one of so many CPUs: the kernel takes any number. */
static inline bool worker_cpus_is_set(int32_t incoming_cpu, unsigned int cpus)
{
	return incoming_cpu >= 0 && (unsigned int)incoming_cpu < cpus && incoming_cpu < CPUS_MAX;
}

/* Find the CPUs of a worker, on a host that has so many: the one that its socket has set as
 * SO_INCOMING_CPU, or else those that its process may run on, all if that is not known (0).
 * -ESRCH: it is gone; there are none then. */
int worker_cpus_find(uint32_t pid, int32_t incoming_cpu, unsigned int cpus, struct cpus *set);

/*
 * Return whether a table by CPU or node has the same workers, two or more, in each of its rows, so
 * that the CPU makes no difference. The row after the last, of all workers, is not looked at.
 */
bool worker_cpus_rows_equal(const uint16_t *entries, uint32_t rows, uint32_t width);

#endif
