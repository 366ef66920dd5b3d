/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * Turn members: the members of many groups, for a few turns of the host's keeper. The sockets of
 * a namespace and a protocol are listed once, when the first group there asks for them.
 */
#ifndef KEEPER_TURN_MEMBERS_H
#define KEEPER_TURN_MEMBERS_H

#include "sockets/sock_diag.h"

/* All 0: nothing was listed. */
struct turn_members {
	struct turn_list *lists; /* of one namespace and protocol each */
	size_t n;
};

#define TURN_MEMBERS_MS 50

/* As sock_diag_members(), but as the sockets were when they were listed, a little more than
 * TURN_MEMBERS_MS ago at most. */
int turn_members_of(struct turn_members *turn, const struct reuseport_key *key,
		    const struct netns_ref *ns, struct sock_diag_list *members,
		    struct reuseport_error *err);

/* Forget what was listed TURN_MEMBERS_MS ago. */
void turn_members_forget_old(struct turn_members *turn);

/* Forget all. */
void turn_members_end(struct turn_members *turn);

#endif
