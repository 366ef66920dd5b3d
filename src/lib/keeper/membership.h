/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* Sync: makes the array follow the members of the group. */
#ifndef KEEPER_MEMBERSHIP_H
#define KEEPER_MEMBERSHIP_H

#include "keeper/handle.h"
#include "sockets/sock_diag.h"

/*
 * A socket has joined: finds who holds it (pid is a first guess, 0 for none),
 * takes it, gives it a slot. A group that was born anew gets the program.
 * -EAGAIN: not in its group yet, try again. Other failures are logged.
 */
int membership_join(struct reuseport_group *group, uint64_t cookie, uint32_t inode, uint32_t pid);

/* A socket has left. -EAGAIN: it still sits in its slot, try again. */
int membership_leave(struct reuseport_group *group, uint64_t cookie);

/*
 * Compares everything with sock_diag. refresh: also who serves each worker.
 * -ENETDOWN: the network namespace is gone.
 */
int membership_sync(struct reuseport_group *group, bool refresh, struct reuseport_error *err);

/*
 * The first fill: every member of the list into a slot, nothing attached.
 * -ESTALE for members that left meanwhile is no failure. *via receives a
 * socket of the group, to attach through; the caller closes it.
 */
int membership_fill(struct reuseport_group *group, const struct sock_diag_list *members, int *via,
		    struct reuseport_error *err);

#endif
