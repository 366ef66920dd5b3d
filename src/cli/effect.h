/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* Effect: whether what a command has changed takes effect, and for whom. */
#ifndef CLI_EFFECT_H
#define CLI_EFFECT_H

#include "options.h"

/*
 * Print a message for each group of the filter for which a change of what is pinned changes
 * nothing, as it does not have the program any more, or not for all of its members. Return
 * EXIT_DONE, or EXIT_FAILED if there is one; members that attach --partial has left out on purpose
 * are named and do not count.
 */
int effect_check(const struct options *options, const struct reuseport_filter *filter);

/* Warn if no worker accepts new work any more: all are drained, or have the weight 0. */
void effect_warn_unserved(const struct reuseport_filter *filter);

#endif
