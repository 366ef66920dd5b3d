// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* Worker CPUs: where policies "cpu" and "numa" take a worker to run. */
#include <string.h>

#include "state/worker_cpus.h"

int worker_cpus_find(uint32_t pid, int32_t incoming_cpu, unsigned int cpus, struct cpus *set)
{
	bool is_set = worker_cpus_is_set(incoming_cpu, cpus);

	if (!is_set && pid)
		return cpus_of_process(pid, set);
	*set = (struct cpus){ 0 };
	for (unsigned int cpu = 0; !is_set && cpu < cpus && cpu < CPUS_MAX; cpu++)
		cpus_add(set, cpu);
	if (is_set)
		cpus_add(set, incoming_cpu);
	return 0;
}

bool worker_cpus_rows_equal(const uint16_t *entries, uint32_t rows, uint32_t width)
{
	uint32_t same = 1;

	while (same < width && entries[same] == entries[0])
		same++;
	if (same == width)
		return false;
	/* Rows of the same workers are filled in the same way. */
	for (uint32_t row = 1; row < rows; row++)
		if (memcmp(entries, entries + (size_t)row * width, width * sizeof(*entries)))
			return false;
	return true;
}
