/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* Explained owners: which processes serve the sockets of a group. To look takes longer than all
 * else of an explanation, so one look is for all explanations of a moment. */
#ifndef EXPLAIN_EXPLAINED_OWNERS_H
#define EXPLAIN_EXPLAINED_OWNERS_H

#include "sockets/sock_diag.h"
#include "sockets/socket_owners.h"

/* All 0: nothing was looked at. */
struct explained_owners {
	struct socket_owners owners;
	uint64_t looked_at; /* of CLOCK_MONOTONIC */
	uint64_t sockets;   /* a checksum of those that were looked for */
};

/* Look for the owners of the members or, if there are none, of one socket, unless that was done a
 * moment ago. */
void explained_owners_look(struct explained_owners *owners, const struct sock_diag_list *members,
			   uint32_t inode, uint32_t uid);

void explained_owners_free(struct explained_owners *owners);

#endif
