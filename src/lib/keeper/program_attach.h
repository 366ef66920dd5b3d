/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* Installing the program on the group, and giving selection back. */
#ifndef KEEPER_PROGRAM_ATTACH_H
#define KEEPER_PROGRAM_ATTACH_H

#include "keeper/handle.h"

/*
 * After "cookie" has joined through "member": if no worker that was there
 * before is left, the group may be another than the one that had the program,
 * so it is put there again. -EEXIST: it has a foreign one, which stays.
 */
int install_if_reborn(struct reuseport_group *group, int member, uint64_t cookie,
		      struct reuseport_error *err);

/*
 * What the group has: 1 our program, 0 none, -EEXIST another, of which
 * *foreign tells. 1 with *foreign empty where the kernel cannot tell.
 */
struct group_program;
int install_check(struct reuseport_group *group, uint64_t cookie, struct group_program *foreign,
		  struct reuseport_error *err);

/* The same by the first of the members that is still in the group; -ENOENT if none is. */
struct sock_diag_list;
int install_check_any(struct reuseport_group *group, const struct sock_diag_list *members,
		      struct group_program *foreign, struct reuseport_error *err);

#endif
