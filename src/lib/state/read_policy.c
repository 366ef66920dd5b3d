// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* Read the policy in use from an attachment. */
#include "policy/policy_info.h"
#include "state/read_policy.h"

void read_policy(struct reuseport_policy_info *info, const struct attachment *at)
{
	/* A copy, since another process may publish meanwhile. */
	const struct control control = *at->view.control;

	policy_info_of_plan(info, &control.plan[control.epoch & 1]);
	info->table_entries = at->entry.table_entries;
	info->plans = control.epoch;
}
