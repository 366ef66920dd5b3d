/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* Attach the program to the group, and check which one it has. */
#ifndef KEEPER_PROGRAM_ATTACH_H
#define KEEPER_PROGRAM_ATTACH_H

#include "keeper/handle.h"

/* Attach the program to the group through a socket of it. -EPERM: its sockets are
 * locked with SO_LOCK_FILTER. */
int program_attach(const struct reuseport_group *group, int member, struct reuseport_error *err);

/*
 * Attach it again after "cookie" has joined through "member" if no earlier worker is
 * left: then the group may have been recreated, without the program. -EEXIST: it
 * has a foreign program, which stays.
 */
int program_attach_if_recreated(struct reuseport_group *group, int member, uint64_t cookie,
				struct reuseport_error *err);

/*
 * Return 1 if the group has our program, 0 if it has none, -EEXIST if it has another,
 * which *foreign describes. Where the kernel cannot tell: 1 with *foreign empty.
 */
struct group_program;
int program_attach_check(struct reuseport_group *group, uint64_t cookie,
			 struct group_program *foreign, struct reuseport_error *err);

/* The same by the first of the members that is still in the group; -ENOENT if none is. */
struct sock_diag_list;
int program_attach_check_any(struct reuseport_group *group, const struct sock_diag_list *members,
			     struct group_program *foreign, struct reuseport_error *err);

#endif
