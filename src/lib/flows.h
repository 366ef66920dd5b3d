/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* Flows: what the map of the sticky flows holds. */
#ifndef LIB_FLOWS_H
#define LIB_FLOWS_H

#include "mapped.h"

/*
 * Counts the flows of each slot's present worker, into by_slot, and all entries of
 * the map, those of workers that have gone included. Flows that have been idle too
 * long are not counted for a worker. 0 or -errno.
 */
int flows_count(const struct steering *steering, const struct mapped *mapped, uint64_t *by_slot,
		uint64_t *occupied);

/* The flow of a packet, if there is one and its worker is still the same. */
struct reuseport_packet;
bool flows_find(const struct steering *steering, const struct mapped *mapped,
		const struct reuseport_packet *packet, struct flow *flow);

#endif
