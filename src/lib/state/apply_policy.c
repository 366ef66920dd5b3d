// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* Applies a policy to an attachment: choose by the words, compile, publish. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "error.h"
#include "policy/policy.h"
#include "policy/table_compile.h"
#include "state/apply_policy.h"
#include "state/publish.h"

int apply_policy_check(const struct mapped *mapped, const struct plan *plan, const char *text,
		       struct reuseport_error *err)
{
	if (table_compile_rows(plan, mapped->size.cpus, topology_nodes()) <
	    mapped->size.table_entries)
		return 0;
	return fail(err, ENOSPC,
		    "%s: %u table entries are too few for policy %s on %u CPUs: detach, "
		    "then attach with --table",
		    text, mapped->size.table_entries, policy_name(plan->policy), mapped->size.cpus);
}

static void set_admit(struct plan *plan, const char *admit)
{
	plan->flags &= ~PLAN_ADMIT_MANUAL;
	if (!strcmp(admit, "manual"))
		plan->flags |= PLAN_ADMIT_MANUAL;
}

int apply_policy(const struct mapped *mapped, int sockets,
		 const struct reuseport_policy_opts *words, const char *admit, const char *text,
		 struct reuseport_error *err)
{
	size_t bytes = mapped->size.cpus * sizeof(struct given_cpu);
	struct given_cpu *map = calloc(2, bytes), *before;
	struct policy_choice choice;
	int ret;

	if (!map)
		return fail(err, ENOMEM, "out of memory");
	before = map + mapped->size.cpus;
	memcpy(before, mapped->cpu_map, bytes);
	ret = policy_choose(words, change_plan(mapped), &choice, err);
	if (!ret)
		ret = apply_policy_check(mapped, &choice.plan, text, err);
	if (!ret && choice.cpu_map)
		ret = policy_read_map(choice.cpu_map, map, mapped->size.cpus, mapped->size.slots,
				      err);
	if (!ret) {
		struct change want = change_present(mapped);

		want.plan = choice.plan;
		if (admit)
			set_admit(&want.plan, admit);
		memcpy(mapped->cpu_map, map, bytes);
		ret = change_publish(mapped, sockets, &want, err);
		if (ret < 0)
			memcpy(mapped->cpu_map, before, bytes);
	}
	free(map);
	return ret;
}
