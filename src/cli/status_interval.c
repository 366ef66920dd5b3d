// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* Status interval: what each worker of a group was given between two looks. Pure. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "status_interval.h"

bool status_interval_is_same(const struct reuseport_status *before,
			     const struct reuseport_status *now)
{
	return !before->damaged && !now->damaged && before->attached_ns == now->attached_ns &&
	       !strcmp(before->pin, now->pin);
}

static bool is_same_worker(const struct reuseport_worker *a, const struct reuseport_worker *b)
{
	return a->cookie == b->cookie && a->slot == b->slot && a->joined_ns == b->joined_ns;
}

/* Find it in a look; they are in the order of their slots. */
static const struct reuseport_worker *find_same_worker(const struct reuseport_status *status,
						       const struct reuseport_worker *worker)
{
	size_t low = 0, high = status ? status->n_workers : 0, end = high;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (status->workers[middle]->slot < worker->slot)
			low = middle + 1;
		else
			high = middle;
	}
	return low < end && is_same_worker(status->workers[low], worker) ? status->workers[low] :
									   NULL;
}

/* Return by how much a counter has grown. One that has gone back began anew. */
static uint64_t growth(uint64_t before, uint64_t now)
{
	return now >= before ? now - before : now;
}

static struct worker_interval compare_worker(const struct reuseport_status *before,
					     const struct reuseport_worker *now, uint64_t begun_ns)
{
	const struct reuseport_worker *same = find_same_worker(before, now);
	struct worker_interval compared = { 0 };

	compared.known = same || now->joined_ns >= begun_ns;
	if (compared.known)
		compared.selected = growth(same ? same->selected : 0, now->selected);
	return compared;
}

int status_interval_make(const struct reuseport_status *before, const struct reuseport_status *now,
			 uint64_t begun_ns, struct status_interval *interval)
{
	static const struct reuseport_counters none;
	const struct reuseport_counters *counters = before ? before->counters : &none;
	uint64_t from_ns = before ? before->taken_ns : now->attached_ns, workers = 0;

	*interval = (struct status_interval){ .n_workers = now->n_workers };
	interval->workers = calloc(now->n_workers + 1, sizeof(*interval->workers));
	if (!interval->workers)
		return -ENOMEM;
	interval->known = !now->damaged && now->taken_ns > from_ns &&
			  (before ? status_interval_is_same(before, now) : from_ns >= begun_ns);
	if (!interval->known)
		return 0;
	interval->seconds = (now->taken_ns - from_ns) / 1e9;
	interval->selected = growth(counters->selected, now->counters->selected);
	interval->fallback = growth(reuseport_counters__fallback(counters),
				    reuseport_counters__fallback(now->counters));
	interval->gone_known = true;
	for (size_t i = 0; i < now->n_workers; i++) {
		interval->workers[i] = compare_worker(before, now->workers[i], begun_ns);
		interval->gone_known &= interval->workers[i].known;
		workers += interval->workers[i].selected;
	}
	if (interval->gone_known && interval->selected > workers)
		interval->gone = interval->selected - workers;
	return 0;
}
