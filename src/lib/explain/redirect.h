/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * Redirect: what may give a packet to another socket before the lookup on its port: a BPF
 * sk_lookup program, or a TPROXY rule. Which one it would be is not known outside the kernel.
 */
#ifndef EXPLAIN_REDIRECT_H
#define EXPLAIN_REDIRECT_H

#include "sockets/lookup_score.h"
#include "host/netns.h"

#define REDIRECT_TEXT 256

/* What was seen last; all 0: nothing was looked at. */
struct redirect {
	char text[REDIRECT_TEXT]; /* "": nothing redirects */
	uint64_t netns;           /* there, */
	int proto;                /* of packets of this protocol, */
	uint64_t looked_at;       /* at that time, of CLOCK_MONOTONIC */
};

/* See what there is in the namespace, for packets of the protocol, unless that was done a moment
 * ago. Return 0 or -errno. */
int redirect_find(const struct lookup_packet *packet, const struct netns_ref *ns,
		  struct redirect *redirect, struct reuseport_error *err);

#endif
