// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* Read the policy in use from an attachment. */
#include <string.h>

#include "decide/chain.h"
#include "policy/policy_info.h"
#include "policy/table_compile.h"
#include "state/read_policy.h"
#include "state/worker_cpus.h"

static bool places_alike(const struct attachment *at, const struct control *control)
{
	const struct plan *plan = &control->plan[control->epoch & 1];

	return chain_by_place(plan->policy) && plan->width &&
	       worker_cpus_rows_equal(half_entries(&at->view, control->epoch),
				      table_compile_rows(plan, at->entry.cpus, topology_nodes()),
				      plan->width);
}

void read_policy(struct reuseport_policy_info *info, const struct attachment *at)
{
	/* A copy, since another process may publish meanwhile. */
	const struct control control = *at->view.control;

	policy_info_of_plan(info, &control.plan[control.epoch & 1]);
	info->table_entries = at->entry.table_entries;
	info->plans = control.epoch;
	info->places_alike = places_alike(at, &control);
}

bool read_policy_leaves_pick(const struct reuseport_policy_info *info)
{
	return !info->table_width && !strcmp(info->policy, "hash");
}
