/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * Lookup: the sockets and groups on a packet's port, which of them the kernel
 * gives the packet to, and why not the others.
 */
#ifndef EXPLAIN_LOOKUP_H
#define EXPLAIN_LOOKUP_H

#include "explain/lookup_score.h"
#include "explain/port_sockets.h"
#include "host/netns.h"
#include "reuseport_bpf.h"
#include "sockets/group_iter.h"

/*
 * The members of one reuseport group; or the plain sockets with one key (UDP's
 * with SO_REUSEADDR: all but the first starve); or one connected socket.
 */
struct lookup_candidate {
	struct reuseport_key key;
	size_t sockets;
	bool group;       /* a reuseport group, also of one socket */
	bool connected;   /* UDP, to this peer: */
	uint8_t peer[16]; /* as key.addr */
	uint16_t peer_port;
	uint64_t cookie; /* of the first that the kernel meets */
	uint32_t inode;  /* its */
	int32_t cpu;     /* its SO_INCOMING_CPU, -1 for none: see score.h */
	enum lookup_table table;
	enum lookup_reason reason;
	struct lookup_score score;
	size_t place; /* in the chain, to sort equals */
};

struct lookup_result {
	struct lookup_candidate *list; /* the winner first, then the better first */
	size_t n;
	int winner;       /* index, -1: nobody gets it */
	uint32_t ifindex; /* the arrival device, 0 where no socket asks for it */
	bool local;       /* the destination is an address of the namespace */
	bool exact;       /* false: the order of the sockets, which decides between
			   * equals and ends a walk, is a guess: no iterators, or
			   * two sockets connected to the same peer */
};

/* What kernels differ in. */
struct lookup_kernel {
	struct bucket_reader reader;
	bool hash4; /* connected UDP sockets are in a table by both addresses and ports */
};

/*
 * Free result->list with free(). -EOPNOTSUPP: the destination is multicast or
 * broadcast. -EINVAL: the packet is malformed. -EHOSTUNREACH: a socket is bound
 * to a device and packet->ifindex is 0 and cannot be found out. -ENETDOWN: the
 * namespace is gone. An empty list is success: no socket is on that port.
 */
int lookup(const struct lookup_kernel *kernel, const struct lookup_packet *packet,
	   const struct netns_ref *ns, struct lookup_result *result, struct reuseport_error *err);

#endif
