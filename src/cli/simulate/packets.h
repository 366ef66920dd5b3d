/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* Input: the packets of a simulation, made up, from a file or from a capture. */
#ifndef CLI_SIMULATE_PACKETS_H
#define CLI_SIMULATE_PACKETS_H

#include <stdio.h>

#include "options.h"

struct input {
	int proto;     /* what is taken: of this protocol, 0 for both, */
	uint16_t port; /* to this port, 0 for any */

	const char *from; /* "generated", "file", "pcap" */
	const char *path;
	unsigned long clients;
	struct reuseport_tuple *tuples;
	size_t n, room;
	/* Not taken: */
	uint64_t others; /* of another protocol or port */
	uint64_t later;  /* TCP, but no SYN without ACK: not a new connection */
	uint64_t alien;  /* neither TCP nor UDP over IP, or a later fragment */
	uint64_t cut;    /* too short to tell */
};

/* As the options say. An exit status, with a message; EXIT_DONE is success. */
int input_read(struct input *input, const struct options *options, unsigned long seed);
void input_free(struct input *input);

/* Takes a packet, if it is of those that are asked for; proto 0: not known.
 * -ENOMEM. */
int input_add(struct input *input, const struct reuseport_tuple *tuple, int proto);

/* One of the sources; they say what is wrong. An exit status. */
int input_read_file(struct input *input);
int input_read_pcap(struct input *input);

#endif
