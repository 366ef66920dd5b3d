/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* Adopt: take over an attachment whose keeper has ended. */
#ifndef KEEPER_ADOPT_H
#define KEEPER_ADOPT_H

#include "keeper/handle.h"
#include "sockets/group_members.h"

/*
 * Take over what is pinned, with the keeper's lock held: slots and counters stay, the policy
 * is the one that opts asks for. -ENOENT: there is nothing to adopt, and what a killed attach
 * or an earlier namespace left has been removed. The members are chosen by the program that
 * is pinned.
 */
int adopt(struct reuseport_group *group, struct group_members *members,
	  const struct reuseport_attach_opts *opts, struct reuseport_error *err);

/* Check that the description has the sizes that attach was given, if any. */
int adopt_check_sizes(const struct reuseport_group *group, const struct reuseport_attach_opts *opts,
		      struct reuseport_error *err);

#endif
