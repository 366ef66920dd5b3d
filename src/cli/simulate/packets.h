/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* Packets: generates or reads the packets of a simulation, as the options say. */
#ifndef CLI_SIMULATE_PACKETS_H
#define CLI_SIMULATE_PACKETS_H

#include "options.h"
#include "simulate/packet_list.h"

/* Fill the list; free it with packet_list_free(), also after a failure. Return an
 * exit status, with a message on failure. */
int packets_read(struct packet_list *list, const struct options *options, unsigned long seed);

#endif
