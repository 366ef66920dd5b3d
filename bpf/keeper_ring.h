/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The ring buffer that a keeper reads, as an array of maps has it. Before Linux 5.10 all
 * that are put into one array must have the same size. */
#ifndef BPF_KEEPER_RING_H
#define BPF_KEEPER_RING_H

#include "abi.h"
#include "kernel.h"

struct keeper_ring {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, EVENT_RING_BYTES);
};

#endif
