/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* Membership: make the array follow the members of the group. */
#ifndef KEEPER_MEMBERSHIP_H
#define KEEPER_MEMBERSHIP_H

#include "keeper/handle.h"
#include "sockets/sock_diag.h"

/*
 * Let a socket join: find a process that has it open (pid is a first guess, 0 for none),
 * duplicate it, give it a slot. A group that was recreated gets the program again. -EAGAIN:
 * it is not in its group yet, try again. Other failures are logged.
 */
int membership_join(struct reuseport_group *group, uint64_t cookie, uint32_t inode, uint32_t pid);

/* Release the slot of a socket that has left. -EAGAIN: it is still in its slot, try again. */
int membership_leave(struct reuseport_group *group, uint64_t cookie);

/*
 * Compare everything with sock_diag. refresh: read again which process serves each worker.
 * -ENETDOWN: the network namespace is gone.
 */
int membership_sync(struct reuseport_group *group, bool refresh, struct reuseport_error *err);

/*
 * Fill the array for the first time, before the program is attached. Members that leave
 * meanwhile are no failure. *via receives a socket of the group, to attach the program
 * through; the caller closes it.
 */
int membership_fill(struct reuseport_group *group, const struct sock_diag_list *members, int *via,
		    struct reuseport_error *err);

#endif
