/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* Queue depth: read what waits at the workers of a TCP attachment. */
#ifndef SOCKETS_QUEUE_DEPTH_H
#define SOCKETS_QUEUE_DEPTH_H

#include "abi.h"
#include "reuseport_bpf.h"

struct queue_depth_bpf;

/* Load the program that reads the sockets in that map. -EPERM, -EOPNOTSUPP: the kernel
 * does not permit it, or cannot. */
int queue_depth_open(struct queue_depth_bpf **queues, int sockets_map, struct reuseport_error *err);

/* Read the queue of the socket in a slot. */
int queue_depth_read(struct queue_depth_bpf *queues, unsigned int slot, struct queue_depth *depth);

/* Free the program; NULL is ignored. */
void queue_depth_close(struct queue_depth_bpf *queues);

#endif
