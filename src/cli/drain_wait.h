/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* Drain wait: the options and the waiting that drain and rollout share. */
#ifndef CLI_DRAIN_WAIT_H
#define CLI_DRAIN_WAIT_H

#include "options.h"

#define DRAIN_WAIT_OPTIONS 3
extern const struct option_entry drain_wait_options[DRAIN_WAIT_OPTIONS];

/* Return whether --wait and --timeout can be combined as given, else print why not. */
bool drain_wait_check(const struct options *options);

/*
 * Wait until the queues of the drained workers are empty: those of one worker, or
 * of all (NULL). Give up after options->timeout_s seconds unless that is 0. Print
 * what each worker still has. Return an exit status.
 */
int drain_wait(const struct options *options, const struct reuseport_filter *filter,
	       const char *worker);

#endif
