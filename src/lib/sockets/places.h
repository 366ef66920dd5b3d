/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * Places: the sockets of a namespace and a protocol, put together by what they share: a group,
 * or an address and port without one.
 */
#ifndef SOCKETS_PLACES_H
#define SOCKETS_PLACES_H

#include "sockets/group_iter.h"
#include "sockets/sock_diag.h"

struct place {
	struct reuseport_key key;          /* without a uid if the sockets are of several users */
	const struct group_member *member; /* of its group, the first in the kernel's order; NULL:
					    * the sockets are of no group */
	bool known;                        /* false: it is not known whether they are of a group */
	size_t order;                      /* a lower one is before in the kernel's chain */
	bool steered;                      /* for shadow_find(): set by the caller */
	const struct sock_diag_socket *sockets;
	size_t n;
};

struct place_list {
	struct place *places; /* sorted by group_key_compare_place(): one port after the other */
	size_t n;
	struct sock_diag_socket *sockets; /* those of one place after those of another */
	bool unordered;                   /* place->order says nothing */
};

/* Where the members of groups come from. */
struct place_members {
	const struct member_list *kernel;    /* in the order of the kernel */
	const struct member_list *unreached; /* sockets of which that is not known; NULL: none */
	bool unordered;                      /* it is no order at all */
};

/* Make the places of sockets that are all of one protocol. Each refers to the members. Return 0
 * or -ENOMEM. Free with places_free(). */
int places_make(const struct sock_diag_list *sockets, const struct place_members *members,
		struct place_list *list);
void places_free(struct place_list *list);

/* Return whether several UDP sockets share the place with SO_REUSEADDR alone, so that one of them
 * gets all. */
bool place_is_reuseaddr_only(const struct place *place);

/* Return whether the address is of multicast: each socket gets a copy. */
bool place_is_multicast(const struct reuseport_key *key);

/* Return whether a connected UDP socket is at the place of a group. One that was bound to any
 * address has one of its own once it is connected. */
bool place_has_connected(const struct reuseport_key *key, const struct reuseport_key *connected);

#endif
