/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* Membership: make the array follow the members of the group. */
#ifndef KEEPER_MEMBERSHIP_H
#define KEEPER_MEMBERSHIP_H

#include "keeper/handle.h"
#include "sockets/sock_diag.h"

/*
 * Compare everything with sock_diag: release the slots of members that have left. If there
 * are members without a slot, or refresh is set, begin a search for the processes that have
 * the members open, unless one runs. -ENETDOWN: the network namespace is gone.
 */
int membership_sync(struct reuseport_group *group, bool refresh, struct reuseport_error *err);

/*
 * Do a slice of the search, if one runs: look at up to "budget" descriptors and processes.
 * When all have been seen, apply the result: each worker gets the process that serves it, and
 * members without a slot join, in a helper beside this process, or here until that time (of
 * CLOCK_MONOTONIC), but one of them at least.
 */
void membership_search(struct reuseport_group *group, unsigned int budget, uint64_t until);

/* Wait until those that join by a search have joined, at most as long as a helper may take. */
void membership_finish(struct reuseport_group *group);

/* Return the descriptor that is readable when the search has something to do, -1 if there is
 * none: then it always has. *until receives the time by which there must be a slice. */
int membership_search_fd(const struct reuseport_group *group, uint64_t *until);

/* Compare everything, and search to the end. */
int membership_sync_all(struct reuseport_group *group, struct reuseport_error *err);

/* What the first fill found. */
struct membership_fill {
	struct socket_owners owners;   /* of all members */
	struct reuseport_error reason; /* why one has no slot, if one has none */
	bool busy;                     /* one is in another array */
};

/*
 * Fill the array for the first time, before the program is attached, or go on with that. No
 * member decides for the others: fail only if none could be given a slot, or at a limit. End with
 * membership_fill_end(); the fill is all zero at first.
 */
int membership_fill(struct reuseport_group *group, const struct sock_diag_list *members,
		    struct membership_fill *fill, struct reuseport_error *err);
void membership_fill_end(struct membership_fill *fill);

#endif
