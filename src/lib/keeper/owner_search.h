/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* Owner search: one scan in slices, for all that a keeper needs to know of its members. */
#ifndef KEEPER_OWNER_SEARCH_H
#define KEEPER_OWNER_SEARCH_H

#include "sockets/owner_scan.h"
#include "sockets/sock_diag.h"
#include "sockets/socket_owners.h"

/* A member of struct reuseport_group; all 0: no search. */
struct owner_search {
	struct sock_diag_list members; /* as they were when it began; none: no search */
	struct owner_scan *scan;       /* NULL: it is done, */
	struct socket_owners owners;   /* these are its result, */
	size_t next;                   /* and this is the member to apply it to next */
	bool full;                     /* no slot was free for a member */
	bool again;                    /* a member may have joined after it began */
	bool quiet;                    /* the members without a slot were refused before, and
					* that was logged */
};

static inline bool owner_search_runs(const struct owner_search *search)
{
	return search->members.sockets;
}

/*
 * Begin to search for the owners of all members, which it takes. If a search runs
 * already, note that another one must follow. Return 0 or -errno.
 */
int owner_search_begin(struct owner_search *search, struct sock_diag_list *members,
		       enum owners_wanted what);

/* Return the descriptor that is readable when a step has something to do, -1 if there is
 * none: then it always has. *until receives the time by which there must be one. */
int owner_search_fd(const struct owner_search *search, uint64_t *until);

/* Wait until a step has something to do. */
void owner_search_wait(const struct owner_search *search);

/* Look at up to "budget" descriptors and processes. Return 1 if the result is there, 0 if
 * not; 0 too if the search failed and ended. */
int owner_search_step(struct owner_search *search, unsigned int budget);

/* End the search, done or not, or none. */
void owner_search_end(struct owner_search *search);

#endif
