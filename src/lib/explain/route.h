/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* Route: find the device on which a packet arrives, and whether it is for this host. */
#ifndef EXPLAIN_ROUTE_H
#define EXPLAIN_ROUTE_H

#include "sockets/lookup_score.h"
#include "host/netns.h"

enum route_kind {
	ROUTE_LOCAL,  /* an address of this host: one socket gets it */
	ROUTE_COPIES, /* multicast or broadcast: every matching socket gets it */
	ROUTE_OTHER,  /* not delivered here */
};

/* Find out what the destination is, in the network namespace ns. */
int route_kind(const struct lookup_packet *packet, const struct netns_ref *ns,
	       enum route_kind *kind, struct reuseport_error *err);

/*
 * Find the device that the kernel compares with a socket's SO_BINDTODEVICE. For a packet
 * from another host: the device that leads to its source, as if routes were symmetric.
 * For a packet from this host: the device that has the destination address, although the
 * packet passes lo. -EHOSTUNREACH: there is no route to the source.
 */
int route_arrival(const struct lookup_packet *packet, const struct netns_ref *ns, uint32_t *ifindex,
		  struct reuseport_error *err);

#endif
