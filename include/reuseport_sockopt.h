/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * Socket options by which a worker controls itself, where its group is steered by reuseport-bpf:
 * numbers only, for any language. No library, no path and no capability is needed: the socket
 * is the permission. See reuseport_sockopt(7).
 *
 *     int one = 1;
 *
 *     setsockopt(fd, SOL_REUSEPORT_BPF, REUSEPORT_READY, &one, sizeof(one));
 *
 * Each may be set at any time from socket() on. It is remembered with the socket, and takes effect
 * when that joins a group that is steered. Values are of int, the worker's id of __u32.
 *
 * Errors: EINVAL: wrong size or value. ENOTCONN: the socket is bound, and its group is not steered.
 * EEXIST: another worker of the generation has the id. EPERM: the attachment has --no-sockopt;
 * before Linux 5.18, any of these. ENOPROTOOPT, or EOPNOTSUPP: the toolkit is not there, or this
 * is no TCP or UDP socket. A server carries on without in all these cases.
 */
#ifndef REUSEPORT_SOCKOPT_H
#define REUSEPORT_SOCKOPT_H

#include <linux/types.h>

#define SOL_REUSEPORT_BPF 0x5250

#define REUSEPORT_READY 1  /* 1: give this worker work; 0: none, until it is ready again */
#define REUSEPORT_DRAIN 2  /* 1: nothing new; 2: and its sticky flows go to others; 0: undo */
#define REUSEPORT_WEIGHT 3 /* 0 to 1000, as of "reuseportctl weight" */
#define REUSEPORT_ID 4     /* a number of the server's own, unique within a generation */
#define REUSEPORT_STATE 7  /* getsockopt: struct reuseport_worker_sockopt */

/* slot, while the worker has none */
#define REUSEPORT_NO_SLOT 0xffffffffU

/* The first optlen bytes are filled, and optlen is set to their number. */
struct reuseport_worker_sockopt {
	__u32 state; /* of enum reuseport_worker_state: 0 not bound yet, 1 joining, 2 active,
		      * 3 draining, 4 leaving */
	__u32 slot;
	__u32 generation;
	__u32 weight;
	__u32 id;        /* 0, also if none was set */
	__u32 queue;     /* TCP: connections to accept; UDP: bytes to receive */
	__u32 half_open; /* TCP: handshakes that have begun */
	__u32 flows;     /* sticky flows; a draining worker's are counted again and again */
	/* How many of this socket's requests, that is, calls of setsockopt() that returned 0,
	 * are in effect: no packet goes by an older plan any more. */
	__u64 seq __attribute__((aligned(8)));
};

#endif
