/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* Carry over: an attachment that an older version has pinned, while traffic flows. */
#ifndef KEEPER_CARRY_OVER_H
#define KEEPER_CARRY_OVER_H

#include "keeper/handle.h"
#include "sockets/group_members.h"

/*
 * Carry over what is pinned for the group, if it is of an older ABI version: the array, slots,
 * counters, weights, states, generations and flows stay where they are, the program and what
 * this version has otherwise are new. Its keeper ends. Return 1 with the keeper's lock held, to
 * adopt the group, which has another program then; 0: there is nothing to carry over.
 *
 * If it fails before the keeper was asked to end, nothing has changed; after that, the group has
 * the old program and the old pins, and no keeper.
 */
int carry_over(struct reuseport_group *group, const struct group_members *members,
	       const struct reuseport_attach_opts *opts, struct reuseport_error *err);

#endif
