// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* Shares: count the packets of each worker, and those that a change moves. */
#include <errno.h>
#include <stdlib.h>

#include "abi.h"
#include "error.h"
#include "reuseport_simulate.h"
#include "simulate/shares.h"

/* Count the packets by slot; element "slots" counts those without a worker. */
static uint64_t *count_packets(const uint16_t *owners, size_t n, unsigned int slots)
{
	uint64_t *counts = calloc(slots + 1, sizeof(*counts));

	for (size_t i = 0; counts && i < n; i++)
		counts[owners[i] == TABLE_NO_WORKER ? slots : owners[i]]++;
	return counts;
}

int shares_count(const struct workers *workers, const uint16_t *owners, size_t n,
		 struct reuseport_simulated_share **shares, uint64_t *nobody,
		 struct reuseport_error *err)
{
	struct reuseport_simulated_share *all = calloc(workers->n, sizeof(*all));
	uint64_t *counts = count_packets(owners, n, workers->slots);
	double whole = 0;
	size_t at = 0;

	if (!all || !counts) {
		free(all);
		free(counts);
		return fail(err, ENOMEM, "out of memory");
	}
	for (unsigned int slot = 0; slot < workers->slots; slot++)
		whole += workers->weights[slot];
	for (unsigned int slot = 0; slot < workers->slots; slot++)
		if (workers->present[slot])
			all[at++] = (struct reuseport_simulated_share){
				.slot = slot,
				.weight = workers->weights[slot],
				.packets = counts[slot],
				.due = whole ? workers->weights[slot] / whole : 0,
			};
	*nobody = counts[workers->slots];
	*shares = all;
	free(counts);
	return 0;
}

int shares_compare(const uint16_t *before, const uint16_t *after, size_t n, unsigned int slots,
		   struct reuseport_simulated_change *out, struct reuseport_error *err)
{
	uint64_t *was = count_packets(before, n, slots), *is = count_packets(after, n, slots);
	unsigned int slot = out->change.slot;

	if (!was || !is) {
		free(was);
		free(is);
		return fail(err, ENOMEM, "out of memory");
	}
	for (size_t i = 0; i < n; i++) {
		out->moved += before[i] != after[i];
		out->needless += before[i] != after[i] && before[i] != slot && after[i] != slot;
	}
	/* A worker that has more than before got at least the difference from others. */
	for (unsigned int i = 0; i <= slots; i++)
		out->least += is[i] > was[i] ? is[i] - was[i] : 0;
	free(was);
	free(is);
	return 0;
}

void shares_summarize(struct reuseport_simulation *simulation)
{
	const struct reuseport_simulated_share *share = simulation->shares;
	size_t n = simulation->n_shares, due = 0;
	uint64_t most = 0, sum = 0;

	for (size_t i = 0; i < n; i++) {
		double over;

		if (!share[i].weight)
			continue;
		over = share[i].packets / (share[i].due * simulation->packets);
		if (!due || over < simulation->min_over_due)
			simulation->min_over_due = over;
		if (!due || over > simulation->max_over_due)
			simulation->max_over_due = over;
		if (share[i].packets > most)
			most = share[i].packets;
		sum += share[i].packets;
		due++;
	}
	if (sum)
		simulation->max_over_mean = (double)most * due / sum;
}

bool shares_differ(const struct workers *workers)
{
	uint32_t first = 0;

	for (unsigned int slot = 0; slot < workers->slots; slot++) {
		if (!first)
			first = workers->weights[slot];
		if (workers->weights[slot] && workers->weights[slot] != first)
			return true;
	}
	return false;
}
