/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* Read the policy in use from an attachment. */
#ifndef STATE_READ_POLICY_H
#define STATE_READ_POLICY_H

#include "state/attachment.h"

void read_policy(struct reuseport_policy_info *info, const struct attachment *at);

/* Return whether the policy leaves each choice to the kernel's own pick among the members, which
 * "linux39" does not. */
bool read_policy_leaves_pick(const struct reuseport_policy_info *info);

#endif
