/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* Tuple: addresses and ports of a packet, as the decisions take them. */
#ifndef SIMULATE_GENERATE_H
#define SIMULATE_GENERATE_H

#include "decide/key.h"
#include "reuseport_bpf.h"

/* An IPv4-mapped address is an IPv4 packet's. */
struct tuple tuple_of(const struct reuseport_tuple *from);

#endif
