/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* Packets file: reads packets from a text file. */
#ifndef CLI_SIMULATE_PACKETS_FILE_H
#define CLI_SIMULATE_PACKETS_FILE_H

#include "simulate/packet_list.h"

/* Add the packets of the text file at list->path; "-" is standard input. Return an exit
 * status, with a message on failure. */
int packets_file_read(struct packet_list *list);

#endif
