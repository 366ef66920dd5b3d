/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* Flow table: read the map of sticky flows. */
#ifndef STATE_FLOW_TABLE_H
#define STATE_FLOW_TABLE_H

#include "decide/key.h"
#include "state/map_view.h"

/* Return the number of ticks (jiffies) in a second. */
unsigned int flow_table_hz(void);

/*
 * Count the flows of each slot's present worker into by_slot, without those that have been
 * idle too long. Returns how many places are in use, also by flows of workers that have
 * left.
 */
uint64_t flow_table_count(const struct map_view *view, uint64_t *by_slot);

/* Return the slot whose worker has the flow; -1: the flow is not known. */
int flow_table_slot(const struct map_view *view, const struct tuple *tuple);

#endif
