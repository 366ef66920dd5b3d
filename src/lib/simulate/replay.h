/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * Replay: find the worker of each of many packets, by one policy. As in the BPF program
 * and with its decision functions: compile the table, hash the packet, look up the
 * worker. What only a kernel knows is replaced by random numbers.
 */
#ifndef SIMULATE_REPLAY_H
#define SIMULATE_REPLAY_H

#include "policy/policy.h"
#include "reuseport_simulate.h"
#include "simulate/cpu_layout.h"
#include "simulate/workers.h"

struct replay {
	struct plan plan;
	uint32_t room; /* maximum number of table entries */
	uint64_t seed;
	struct cpu_layout layout;
	struct given_cpu *given; /* the map of CPUs, by CPU; NULL: none */
	size_t n;                /* number of packets */
	uint32_t *hashes;        /* of each packet */
	uint16_t *arrivals;      /* CPU that receives each packet */
};

/* Hash the packets. "replay" has plan, seed and layout. -ENOMEM. */
int replay_prepare(struct replay *replay, const struct reuseport_tuple_list *packets,
		   struct reuseport_error *err);
void replay_free(struct replay *replay);

/*
 * Find the slot of each packet, TABLE_NO_WORKER if no worker may receive work. The width
 * of the table's rows stays in plan.width. -ESRCH: a worker's process is gone; -ENOSPC:
 * the rows do not fit into the table; -ENOMEM.
 */
int replay_run(struct replay *replay, const struct workers *workers, uint16_t *owners,
	       struct reuseport_error *err);

#endif
