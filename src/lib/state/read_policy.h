/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* The policy in use, read from the pinned maps. */
#ifndef STATE_READ_POLICY_H
#define STATE_READ_POLICY_H

#include "state/steering_maps.h"

/* Return 0 or -errno. */
int read_policy(struct reuseport_rules *rules, const struct steering *steering,
		const struct attachment_entry *entry);

#endif
