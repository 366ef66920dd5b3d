/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* Flows: what the table of the sticky flows holds. */
#ifndef STATE_FLOW_TABLE_H
#define STATE_FLOW_TABLE_H

#include "decide/key.h"
#include "state/map_view.h"

/* Ticks (jiffies) in a second. */
unsigned int flow_table_hz(void);

/*
 * Counts the flows of each slot's present worker, into by_slot, unless they have
 * been idle too long. Returns how many places are in use, also by flows of workers
 * that have gone.
 */
uint64_t flow_table_count(const struct map_view *view, uint64_t *by_slot);

/* The slot whose worker has the flow; -1: it is like a new one. */
int flow_table_slot(const struct map_view *view, const struct tuple *tuple);

#endif
