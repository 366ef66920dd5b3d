/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* Effect: whether what a command has changed takes effect, and for whom. */
#ifndef CLI_EFFECT_H
#define CLI_EFFECT_H

#include "options.h"

/*
 * Print a message for each group of the filter for which a change of what is pinned changes
 * nothing, as it does not have the program any more, or not for all of its members. Return
 * EXIT_DONE, or EXIT_FAILED if there is one; members that attach --partial has left out on purpose
 * are named and do not count. lost: if it is not NULL, whether a group does not have the program.
 */
int effect_check(const struct options *options, const struct reuseport_filter *filter, bool *lost);

/* The same, only for groups that do not have the program: for what was changed some time ago. */
int effect_check_lost(const struct options *options, const struct reuseport_filter *filter);

/* Print a message for each group whose keeper leaves members without a slot for longer than it
 * needs to take them, or that has members which cannot be taken and nobody agreed to leave out.
 * Return EXIT_DONE, or EXIT_FAILED if there is one. */
int effect_check_kept(const struct reuseport_filter *filter);

/* Print a message for a group on the port, of the same user, that attach could not steer, though it
 * was not told to leave it out. Return EXIT_DONE, or EXIT_FAILED if there is one. */
int effect_check_whole(const struct options *options, const struct reuseport_filter *filter);

/* Do the same as effect_check() after a change of policy, and warn if that splits UDP flows, or
 * makes no difference. */
int effect_check_policy(const struct options *options, const struct reuseport_filter *filter);

/* Do the same after a change that may leave no worker, all being drained or of weight 0, and warn
 * then. */
int effect_check_served(const struct options *options, const struct reuseport_filter *filter,
			bool *lost);

#endif
