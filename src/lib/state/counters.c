// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* Counters: sum the per-CPU maps of the program. */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdlib.h>

#include "state/counters.h"

/* Sum a per-CPU element, which is a row of 64-bit words for each CPU. */
static int counters_sum(int map, uint32_t index, uint64_t *sum, size_t words)
{
	int cpus = libbpf_num_possible_cpus(), ret = 0;
	uint64_t *rows;

	if (cpus < 0)
		return cpus;
	rows = calloc(cpus, words * sizeof(*rows));
	if (!rows)
		return -ENOMEM;
	if (bpf_map_lookup_elem(map, &index, rows))
		ret = -errno;
	for (size_t word = 0; !ret && word < words; word++) {
		sum[word] = 0;
		for (int cpu = 0; cpu < cpus; cpu++)
			sum[word] += rows[cpu * words + word];
	}
	free(rows);
	return ret;
}

int counters_of_slot(int counters_map, unsigned int slot, struct slot_counters *sum)
{
	return counters_sum(counters_map, slot, (uint64_t *)sum, sizeof(*sum) / sizeof(uint64_t));
}

int counters_read(int counters_map, int totals_map, unsigned int slots,
		  struct slot_counters *by_slot, struct reuseport_counters *sum)
{
	struct group_counters total;
	uint64_t runs;
	int ret;

	ret = counters_sum(totals_map, 0, (uint64_t *)&total, sizeof(total) / sizeof(uint64_t));
	if (ret)
		return ret;
	*sum = (struct reuseport_counters){
		.migrations = total.migrations,
		.next_best = total.next_best,
		.exhausted = total.exhausted,
		.nobody = total.nobody,
		.unregistered = total.unregistered,
		.connected = total.connected,
		.incoming_cpu = total.incoming_cpu,
		.unreadable = total.unreadable,
		.flows = total.flows,
		.flows_moved = total.flows_moved,
	};
	for (unsigned int slot = 0; slot < slots; slot++) {
		const struct slot_counters *one = &by_slot[slot];

		ret = counters_of_slot(counters_map, slot, &by_slot[slot]);
		if (ret)
			return ret;
		sum->selected += one->selected;
		sum->migrated += one->migrated;
		sum->empty += one->empty;
		sum->refused += one->refused;
	}
	/* The program counts each run once: where it ended. */
	runs = sum->selected + sum->migrated + reuseport_counters__fallback(sum);
	sum->packets = runs > sum->migrations ? runs - sum->migrations : 0;
	return 0;
}

uint64_t reuseport_counters__fallback(const struct reuseport_counters *c)
{
	if (!c)
		return 0;
	return c->exhausted + c->nobody + c->unregistered + c->connected + c->incoming_cpu +
	       c->unreadable;
}
