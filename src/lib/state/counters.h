/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* Counters: sum the per-CPU maps of the program. */
#ifndef STATE_COUNTERS_H
#define STATE_COUNTERS_H

#include "abi.h"
#include "reuseport_bpf.h"

/* Sum the counters of a slot over all CPUs and all workers that ever had it. */
int counters_of_slot(int counters_map, unsigned int slot, struct slot_counters *sum);

/* Sum the counters of the whole attachment, and write those of each slot to by_slot. */
int counters_read(int counters_map, int totals_map, unsigned int slots,
		  struct slot_counters *by_slot, struct reuseport_counters *sum);

#endif
