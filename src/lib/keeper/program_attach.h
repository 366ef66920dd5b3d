/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* Attach the program to the group, and check which one it has. */
#ifndef KEEPER_PROGRAM_ATTACH_H
#define KEEPER_PROGRAM_ATTACH_H

#include "keeper/handle.h"
#include "sockets/group_members.h"
#include "sockets/socket_owners.h"

/*
 * Attach the program to the group through the first of its sockets that takes it. -EPERM: all
 * that can be reached are locked with SO_LOCK_FILTER. -ENOENT: none can be reached.
 */
int program_attach_any(const struct reuseport_group *group, const struct sock_diag_list *members,
		       const struct socket_owners *owners, struct reuseport_error *err);

/* Return whether "cookie", which has just got a slot, may be the first of a group that was
 * recreated, without the program: no earlier worker is left. */
bool program_attach_is_due(const struct reuseport_group *group, uint64_t cookie);

/* Return whether the group of a socket needs the program: 1, 0 or -errno; 1 where the kernel does
 * not tell. -EEXIST: it has a foreign program, which stays. */
int program_attach_is_missing(struct reuseport_group *group, uint64_t cookie,
			      struct reuseport_error *err);

/* Attach it again, through "member". This and the function before can hang: join.c calls them in
 * a helper. */
int program_attach_again(struct reuseport_group *group, int member, struct reuseport_error *err);

/* Return 1 if the group has our program, 0 if it has none or the kernel cannot tell. -EEXIST:
 * it has another one. */
int program_attach_check(const struct reuseport_group *group, const struct group_members *members,
			 struct reuseport_error *err);

#endif
