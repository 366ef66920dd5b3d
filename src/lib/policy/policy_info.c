// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* The policy of a plan, as words. */
#include <stdio.h>

#include "policy/policy.h"
#include "policy/policy_info.h"

void policy_info_of_plan(struct reuseport_policy_info *info, const struct plan *plan)
{
	*info = (struct reuseport_policy_info){
		.over_consistent = plan->flags & PLAN_OVER_CONSISTENT,
		.given_cpus = plan->flags & PLAN_GIVEN_CPUS,
		.table_width = plan->width,
	};
	snprintf(info->policy, sizeof(info->policy), "%s", policy_name(plan->policy));
	policy_key_text(plan, info->key);
	if (plan->flags & PLAN_OWN_HASH)
		policy_hash_key_text(plan, info->hash_key);
}
