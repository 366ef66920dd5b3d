/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * Lookup: find the sockets and groups on a packet's port, the one that the kernel gives
 * the packet to, and the reason why the others do not get it.
 */
#ifndef EXPLAIN_LOOKUP_H
#define EXPLAIN_LOOKUP_H

#include "sockets/lookup_score.h"
#include "explain/port_sockets.h"
#include "host/netns.h"
#include "reuseport_bpf.h"
#include "sockets/group_iter.h"

/*
 * The members of one reuseport group; or the plain sockets with one key (of UDP sockets
 * with SO_REUSEADDR only the first gets packets); or one connected socket.
 */
struct lookup_candidate {
	struct reuseport_key key;
	size_t sockets;
	bool group;       /* a reuseport group, even of one socket */
	bool connected;   /* UDP, to this peer: */
	uint8_t peer[16]; /* as key.addr */
	uint16_t peer_port;
	/* Of the first socket in the kernel's order: */
	uint64_t cookie;
	uint32_t inode;
	int32_t cpu; /* SO_INCOMING_CPU, -1 for none: see lookup_score.h */
	enum lookup_table table;
	enum lookup_reason reason;
	struct lookup_score score;
	bool transparent; /* it has IP_TRANSPARENT */
	size_t place;     /* in the chain, to sort equal candidates */
};

struct lookup_result {
	struct lookup_candidate *list; /* the winner first, then by score */
	size_t n;
	int winner;       /* index, -1: no socket gets the packet */
	uint32_t ifindex; /* the arrival device, 0 if no socket depends on it */
	bool local;       /* the destination is an address of the namespace */
	bool by_cpu;      /* the packet's CPU is not known, and on some CPU another wins */
	bool exact;       /* false: the order of the sockets, which decides between
			   * equals and ends a walk, is a guess: no iterators, or
			   * two sockets connected to the same peer */
};

/* What differs between kernels. */
struct lookup_kernel {
	struct port_sockets_reader reader;
	bool hash4; /* there is a table of connected UDP sockets by 4-tuple */
};

/*
 * Look up the packet. Free result->list with free(). -EOPNOTSUPP: the destination is
 * multicast or broadcast. -EINVAL: the packet is malformed. -EHOSTUNREACH: a socket is
 * bound to a device, and the arrival device is neither given nor found. -ENETDOWN: the
 * namespace is gone. An empty list is success: no socket is on that port.
 */
int lookup_find(const struct lookup_kernel *kernel, const struct lookup_packet *packet,
		const struct netns_ref *ns, struct lookup_result *result,
		struct reuseport_error *err);

#endif
