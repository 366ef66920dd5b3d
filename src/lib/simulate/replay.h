/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * Course: which worker each of many packets goes to, by one policy. As in the
 * BPF program, with the same decision functions: compile the table, hash the
 * packet, look up who gets it. What only a kernel knows is made up.
 */
#ifndef SIMULATE_REPLAY_H
#define SIMULATE_REPLAY_H

#include "policy/policy.h"
#include "reuseport_simulate.h"
#include "simulate/cpu_layout.h"
#include "simulate/workers.h"

struct course {
	struct plan plan;
	uint32_t room; /* entries of the table, at most */
	uint64_t seed;
	struct machine machine;
	struct given_cpu *given; /* by CPU, the map of CPUs; NULL: none */
	size_t n;                /* packets */
	uint32_t *hashes;        /* of each packet */
	uint16_t *arrivals;      /* CPU that receives each packet */
};

/* Hashes the packets. "course" has plan, seed and machine. -ENOMEM. */
int course_prepare(struct course *course, const struct reuseport_tuple *tuples, size_t n,
		   struct reuseport_error *err);
void course_free(struct course *course);

/*
 * The slot that each packet goes to, TABLE_NO_WORKER where nobody may get work;
 * the width of the table's rows stays in plan.width. -ESRCH: a worker's process
 * is gone; -ENOSPC: the table has not room for the rows; -ENOMEM.
 */
int course_run(struct course *course, const struct crowd *crowd, uint16_t *owners,
	       struct reuseport_error *err);

#endif
