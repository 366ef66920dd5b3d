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

/*
 * Attach it again after "cookie" has joined through "member" if no earlier worker is
 * left: then the group may have been recreated, without the program. -EEXIST: it
 * has a foreign program, which stays.
 */
int program_attach_if_recreated(struct reuseport_group *group, int member, uint64_t cookie,
				struct reuseport_error *err);

/* Return 1 if the group has our program, 0 if it has none or the kernel cannot tell. -EEXIST:
 * it has another one. */
int program_attach_check(const struct reuseport_group *group, const struct group_members *members,
			 struct reuseport_error *err);

#endif
