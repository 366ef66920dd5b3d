/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* Counters: the per-CPU maps of the program, summed. */
#ifndef STATE_COUNTERS_H
#define STATE_COUNTERS_H

#include "abi.h"
#include "reuseport_bpf.h"

/* Of one slot, over all CPUs and all workers that ever had it. */
int counters_of_slot(int counters_map, unsigned int slot, struct slot_counters *sum);

/* Of the whole attachment. */
int counters_read(int counters_map, int totals_map, unsigned int slots,
		  struct reuseport_counters *sum);

#endif
