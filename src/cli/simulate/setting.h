/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* Setting: the workers and the policy of a simulation, from the options or from an
 * attachment as it is now. */
#ifndef CLI_SIMULATE_SETTING_H
#define CLI_SIMULATE_SETTING_H

#include "options.h"

struct setting {
	struct reuseport_simulated_worker *workers;
	size_t n;
	struct reuseport_policy_opts policy;    /* policy.policy is NULL: all policies */
	unsigned int slots, table;              /* 0: not given */
	const struct reuseport_status *status;  /* of the attachment, or NULL */
	struct reuseport_status_list *statuses; /* where it is from */
};

/* Fill the setting; free it with setting_free(). Return an exit status, with a message
 * on failure. */
int setting_make(struct setting *setting, const struct options *options);

void setting_free(struct setting *setting);

#endif
