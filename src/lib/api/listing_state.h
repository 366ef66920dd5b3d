/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* Listing state: what becomes of a group's packets, in a word. Pure. */
#ifndef API_LISTING_STATE_H
#define API_LISTING_STATE_H

#include "reuseport_list.h"

struct listing_facts {
	size_t sockets;
	bool grouped;       /* it is known whether they are a group, and */
	bool group;         /* they are */
	bool program_known; /* the kernel tells which program the group has */
	bool has_program;
	bool own;       /* the program is pinned here */
	bool maybe_own; /* it has our name, and the pins are not visible */
	bool lost;      /* the group's pins are here, and no group of its key has their program */
	bool counted;   /* the next is known */
	unsigned int may_get_new; /* workers that may get new work */
	bool shadowed;
};

static inline enum reuseport_group_state listing_state(const struct listing_facts *facts)
{
	if (!facts->sockets)
		return REUSEPORT_GROUP_UNSERVED;
	if (facts->grouped && !facts->group)
		return REUSEPORT_GROUP_REUSEADDR;
	if (!facts->grouped || !facts->program_known || facts->maybe_own)
		return REUSEPORT_GROUP_UNKNOWN;
	if (!facts->has_program && facts->lost)
		return REUSEPORT_GROUP_LOST;
	if (facts->has_program && !facts->own)
		return REUSEPORT_GROUP_FOREIGN;
	if (facts->own && facts->counted && !facts->may_get_new)
		return REUSEPORT_GROUP_UNSERVED;
	if (facts->shadowed)
		return REUSEPORT_GROUP_SHADOWED;
	return facts->own ? REUSEPORT_GROUP_STEERED : REUSEPORT_GROUP_PLAIN;
}

/* Return whether that may be an accident of the moment, as between two steps of an attach, of a
 * detach or of a server's restart: it is looked at twice. */
static inline bool listing_is_doubtful(enum reuseport_group_state state, size_t sockets)
{
	return state == REUSEPORT_GROUP_LOST || state == REUSEPORT_GROUP_REUSEADDR ||
	       (state == REUSEPORT_GROUP_UNSERVED && !sockets);
}

#endif
