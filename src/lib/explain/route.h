/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* Route: on which device a packet arrives, and whether it is for this host. */
#ifndef EXPLAIN_ROUTE_H
#define EXPLAIN_ROUTE_H

#include "explain/lookup_score.h"
#include "host/netns.h"

enum route_kind {
	ROUTE_LOCAL,  /* an address of this host: one socket gets it */
	ROUTE_COPIES, /* multicast or broadcast: every socket that matches */
	ROUTE_OTHER,  /* not delivered here */
};

/* What the destination is, in the network namespace ns. */
int route_kind(const struct lookup_packet *packet, const struct netns_ref *ns,
	       enum route_kind *kind, struct reuseport_error *err);

/*
 * The device that a socket's SO_BINDTODEVICE is compared with. From another
 * host: the one that leads to the packet's source, as if routes were symmetric.
 * From this host: the one that has the destination address, although the packet
 * takes lo. -EHOSTUNREACH: no route to the source.
 */
int route_arrival(const struct lookup_packet *packet, const struct netns_ref *ns, uint32_t *ifindex,
		  struct reuseport_error *err);

#endif
