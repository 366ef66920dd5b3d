/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* Packet list: the packets of a simulation, and a count of those skipped. */
#ifndef CLI_SIMULATE_PACKET_LIST_H
#define CLI_SIMULATE_PACKET_LIST_H

#include <reuseport_simulate.h>

struct packet_list {
	int proto;     /* skip packets of other protocols; 0: skip none */
	uint16_t port; /* skip packets to other ports; 0: skip none */

	const char *source; /* "generated", "file", "pcap" */
	const char *path;   /* NULL if generated */
	unsigned long clients;
	struct reuseport_tuple_list *tuples;

	/* Packets that were skipped, by reason: */
	uint64_t other_target; /* of another protocol or to another port */
	uint64_t not_new;      /* TCP, but not a SYN without ACK */
	uint64_t not_tcp_udp;  /* not TCP or UDP over IP, or a later fragment */
	uint64_t truncated;    /* too short to read the ports and flags */
};

/* Add a packet, or count it as skipped; proto 0: the protocol is not known. Return 0
 * or -ENOMEM. */
int packet_list_add(struct packet_list *list, const struct reuseport_tuple *tuple, int proto);

void packet_list_free(struct packet_list *list);

#endif
