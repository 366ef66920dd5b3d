/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* Join: duplicate a member's socket and give it a slot. */
#ifndef KEEPER_JOIN_H
#define KEEPER_JOIN_H

#include "keeper/handle.h"
#include "sockets/socket_owners.h"

/*
 * Claim a slot for the socket, from the process that serves it or else from any other
 * that has it open. *via receives the duplicate; it is closed at once if via is NULL.
 * -ESTALE: no owner has it any more, or it lacks SO_REUSEPORT. -EXDEV: it is another
 * group's. Otherwise as slots_claim().
 */
int join_claim(struct reuseport_group *group, const struct socket_owners *owners, uint64_t cookie,
	       uint32_t inode, int *via, struct reuseport_error *err);

/*
 * Let one socket join; a group that was recreated gets the program again. -EAGAIN: it may
 * join later. Other failures are logged.
 */
int join_member(struct reuseport_group *group, const struct socket_owners *owners, uint64_t cookie,
		uint32_t inode);

#endif
