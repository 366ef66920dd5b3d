/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* Lost: whether what a command has changed takes effect. */
#ifndef CLI_LOST_H
#define CLI_LOST_H

#include "options.h"

/* Return EXIT_DONE, or EXIT_FAILED with a message for each group of the filter that does not have
 * the program any more, so that a change of what is pinned changes nothing. */
int lost_check(const struct options *options, const struct reuseport_filter *filter);

#endif
