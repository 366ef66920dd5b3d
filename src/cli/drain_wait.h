/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* Restart: options and waiting that drain and rollout share. */
#ifndef CLI_DRAIN_WAIT_H
#define CLI_DRAIN_WAIT_H

#include "options.h"

#define RESTART_OPTIONS 3
extern const struct option_entry restart_options[RESTART_OPTIONS];

bool restart_check(const struct options *options);

/*
 * Waits, at most options->timeout_s seconds if that is not 0, until the queues of
 * the workers that get nothing new are empty: of one (worker), or of all (NULL).
 * Says what is left. An exit status.
 */
int restart_wait(const struct options *options, const struct reuseport_filter *filter,
		 const char *worker);

#endif
