/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* Owner search: one scan in slices, for all that a keeper needs to know of its members. */
#ifndef KEEPER_OWNER_SEARCH_H
#define KEEPER_OWNER_SEARCH_H

#include "sockets/owner_scan.h"
#include "sockets/sock_diag.h"
#include "sockets/socket_owners.h"

struct owner_search;

/* One scan for the searches of many groups. All 0: there is none. */
struct owner_search_all {
	struct owner_search *first; /* of those that are not done */
	struct owner_scan *scan;    /* NULL: none runs */
};

/* A member of struct reuseport_group; all 0 but for "all": no search. */
struct owner_search {
	struct owner_search_all *all;  /* whose scan it shares; NULL: it has one of its own */
	struct owner_search *after;    /* in that list, */
	enum owners_wanted what;       /* to look for this */
	bool waits;                    /* it is in the list, */
	bool scanned;                  /* and the scan that runs is for it, too */
	struct sock_diag_list members; /* as they were when it began; none: no search */
	struct owner_scan *scan;       /* NULL: it is done, or shared */
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

/* Return whether it waits for a scan that it shares. */
static inline bool owner_search_waits(const struct owner_search *search)
{
	return search->waits;
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

/*
 * Go on with the scan of all that wait: begin one if none runs, or take what it has found and
 * hand to each search what is its own. To be called again when owner_search_all_fd() is
 * readable, and at *until (of CLOCK_MONOTONIC) in any case.
 */
void owner_search_all_step(struct owner_search_all *all, unsigned int budget);

/* Return the descriptor, -1 if there is none: then *until says when to step. */
int owner_search_all_fd(const struct owner_search_all *all, uint64_t *until);

/* End the scan. The searches must have ended. */
void owner_search_all_end(struct owner_search_all *all);

#endif
