/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* Addresses and ports of a packet, as the decision functions take them. */
#ifndef POLICY_PACKET_TUPLE_H
#define POLICY_PACKET_TUPLE_H

#include "decide/key.h"
#include "reuseport_simulate.h"

/* Return the tuple in the byte order of the decision functions. An IPv4-mapped
 * address becomes an IPv4 packet's. */
struct tuple packet_tuple(const struct reuseport_tuple *from);

#endif
