// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* Apply a policy to an attachment: choose by its options, compile, publish. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "error.h"
#include "policy/policy.h"
#include "policy/table_compile.h"
#include "state/apply_policy.h"
#include "state/publish.h"

int apply_policy_check(const struct attachment *at, const struct plan *plan,
		       struct reuseport_error *err)
{
	const struct steering_size *size = &at->view.size;

	if (table_compile_rows(plan, size->cpus, topology_nodes()) < size->table_entries)
		return 0;
	return fail(err, ENOSPC,
		    "%s: %u table entries are too few for policy %s on %u CPUs: detach, "
		    "then attach with more table entries",
		    at->text, size->table_entries, policy_name(plan->policy), size->cpus);
}

static void plan_set_admit(struct plan *plan, const char *admit)
{
	plan->flags &= ~PLAN_ADMIT_MANUAL;
	if (!strcmp(admit, "manual"))
		plan->flags |= PLAN_ADMIT_MANUAL;
}

int apply_policy(const struct attachment *at, const struct reuseport_policy_opts *words,
		 const char *admit, struct reuseport_error *err)
{
	const struct map_view *view = &at->view;
	size_t bytes = view->size.cpus * sizeof(struct given_cpu);
	struct given_cpu *map = calloc(2, bytes), *before;
	struct policy_choice choice;
	int ret;

	if (!map)
		return fail(err, ENOMEM, "out of memory");
	before = map + view->size.cpus;
	memcpy(before, view->cpu_map, bytes);
	ret = policy_choose(words, plan_in_use(view), &choice, err);
	if (!ret)
		ret = apply_policy_check(at, &choice.plan, err);
	if (!ret && choice.cpu_map)
		ret = policy_read_map(choice.cpu_map, map, view->size.cpus, view->size.slots, err);
	if (!ret) {
		struct plan_spec want = plan_spec_in_use(at);

		want.plan = choice.plan;
		if (admit)
			plan_set_admit(&want.plan, admit);
		memcpy(view->cpu_map, map, bytes);
		ret = publish_plan(at, &want, err);
		if (ret < 0)
			memcpy(view->cpu_map, before, bytes);
	}
	free(map);
	return ret;
}
