/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* Packets pcap: reads packets from a capture. */
#ifndef CLI_SIMULATE_PACKETS_PCAP_H
#define CLI_SIMULATE_PACKETS_PCAP_H

#include "simulate/packet_list.h"

/* Add the packets of the capture at list->path; "-" is standard input. Return an exit
 * status, with a message on failure. */
int packets_pcap_read(struct packet_list *list);

#endif
