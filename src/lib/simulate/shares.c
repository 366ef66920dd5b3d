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
		 struct item_list *shares, uint64_t *nobody, struct reuseport_error *err)
{
	uint64_t *counts = count_packets(owners, n, workers->slots);
	double whole = 0;

	if (!counts)
		return fail(err, ENOMEM, "out of memory");
	*nobody = counts[workers->slots];
	for (unsigned int slot = 0; slot < workers->slots; slot++)
		whole += workers->weights[slot];
	for (unsigned int slot = 0; slot < workers->slots; slot++) {
		struct reuseport_simulated_share *share;

		if (!workers->present[slot])
			continue;
		share = item_list_add(shares, sizeof(*share));
		if (!share)
			break;
		share->slot = slot;
		share->weight = workers->weights[slot];
		share->packets = counts[slot];
		share->due = whole ? workers->weights[slot] / whole : 0;
	}
	free(counts);
	return shares->n == workers->n ? 0 : fail(err, ENOMEM, "out of memory");
}

int shares_compare(const uint16_t *before, const uint16_t *after, size_t n, unsigned int slots,
		   struct reuseport_simulated_change *out, struct reuseport_error *err)
{
	uint64_t *was = count_packets(before, n, slots), *is = count_packets(after, n, slots);
	unsigned int slot = out->change->slot;

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
	size_t n = simulation->n_shares, due = 0;
	uint64_t most = 0, sum = 0;

	for (size_t i = 0; i < n; i++) {
		const struct reuseport_simulated_share *share = simulation->shares[i];
		double over;

		if (!share->weight)
			continue;
		over = share->packets / (share->due * simulation->packets);
		if (!due || over < simulation->min_over_due)
			simulation->min_over_due = over;
		if (!due || over > simulation->max_over_due)
			simulation->max_over_due = over;
		if (share->packets > most)
			most = share->packets;
		sum += share->packets;
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
