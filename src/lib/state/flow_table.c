// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* Flow table: read the map of sticky flows. */
#include <time.h>

#include "clock.h"
#include "decide/flow.h"
#include "state/flow_table.h"

#define SECOND_NS 1000000000ULL

unsigned int flow_table_hz(void)
{
	struct timespec tick;

	/* The coarse clocks advance with each tick. */
	if (clock_getres(CLOCK_MONOTONIC_COARSE, &tick) || !tick.tv_nsec)
		return 100;
	return (SECOND_NS + tick.tv_nsec / 2) / tick.tv_nsec;
}

/*
 * Return the kernel's jiffies, which user space cannot read. They follow the monotonic
 * clock and start five minutes before they overflow (INITIAL_JIFFIES). The error is less
 * than a second.
 */
static uint32_t flow_table_now(void)
{
	uint64_t hz = flow_table_hz();

	return clock_ns(CLOCK_MONOTONIC) / (SECOND_NS / hz) - 300 * hz;
}

/* Return whether the flow belongs to a present worker and is not idle. */
static bool flow_table_has(const struct map_view *view, const struct flow *flow, uint32_t now)
{
	return flow->slot < view->size.slots && flow_is_of(flow, &view->workers[flow->slot]) &&
	       !flow_is_idle(flow, now, view->size.idle_ticks);
}

uint64_t flow_table_count(const struct map_view *view, uint64_t *by_slot)
{
	uint32_t buckets = view->size.flows / FLOW_BUCKET_FLOWS, now = flow_table_now();
	uint64_t used = 0;

	for (uint32_t i = 0; i < buckets; i++)
		for (uint32_t j = 0; j < FLOW_BUCKET_FLOWS; j++) {
			const struct flow flow = view->flows[i].flow[j];

			used += flow.tag != 0;
			if (flow.tag && flow_table_has(view, &flow, now))
				by_slot[flow.slot]++;
		}
	return used;
}

int flow_table_slot(const struct map_view *view, const struct tuple *tuple)
{
	uint32_t buckets = view->size.flows / FLOW_BUCKET_FLOWS;
	uint64_t hash = flow_hash(view->size.flow_key, tuple);
	const struct flow *flow;

	if (!buckets)
		return -1;
	flow = flow_find(&view->flows[flow_bucket(hash, buckets)], flow_tag(hash));
	return flow && flow_table_has(view, flow, flow_table_now()) ? (int)flow->slot : -1;
}
