/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* Join place: check a socket, and put it into its slot. */
#ifndef KEEPER_JOIN_PLACE_H
#define KEEPER_JOIN_PLACE_H

#include "host/netns.h"
#include "reuseport_bpf.h"
#include "state/sockopt_maps.h"

/* What a helper found beside the result. */
enum {
	JOIN_PLACED = 1,   /* the socket is in its slot */
	JOIN_AWAITS = 2,   /* the program is put on the group next */
	JOIN_ATTACHED = 4, /* it was */
	JOIN_DUE = 8,      /* it has to be, by another member */
	JOIN_ALONE = 16,   /* no older member is there: the group may be another one, without it */
};

/* The group, as far as that takes. */
struct join_place {
	const struct reuseport_key *key;
	const struct netns_ref *ns;
	const char *text; /* of the key */
	int sockets;      /* the array */
	int storage;      /* map of the sockets' requests, -1: there is none, */
	int requests;     /* and of those of members */
};

/* Return one of the maps of the socket options, -1 if there are none. */
static inline int join_place_map(const struct sockopt_maps *maps, enum sockopt_map map)
{
	return maps ? maps->fds[map] : -1;
}

/* Put the socket "fd" of a process into its slot. Return 0 or -errno, see struct join. */
int join_place(const struct join_place *place, unsigned int slot, int fd, uint32_t pid,
	       struct reuseport_error *err);

#endif
