// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* Rules: the policy in use, as words. */
#include <bpf/bpf.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/get_policy.h"
#include "error.h"
#include "host/caps.h"
#include "host/netns.h"
#include "policy/policy.h"
#include "state/attachment.h"

void rules_of_plan(struct reuseport_rules *rules, const struct plan *plan)
{
	*rules = (struct reuseport_rules){
		.over_consistent = plan->flags & PLAN_OVER_CONSISTENT,
		.given_cpus = plan->flags & PLAN_GIVEN_CPUS,
		.table_width = plan->width,
	};
	snprintf(rules->policy, sizeof(rules->policy), "%s", policy_name(plan->policy));
	policy_key_text(plan, rules->key);
	if (plan->flags & PLAN_OWN_HASH)
		policy_hash_key_text(plan, rules->hash_key);
}

int rules_read(struct reuseport_rules *rules, const struct steering *steering,
	       const struct attachment_entry *entry)
{
	struct control control;
	uint32_t zero = 0;

	if (bpf_map_lookup_elem(steering->maps[MAP_CONTROL], &zero, &control))
		return -errno;
	rules_of_plan(rules, &control.plan[control.epoch & 1]);
	rules->table_entries = entry->table_entries;
	rules->plans = control.epoch;
	return 0;
}

int reuseport_get_policy(const struct reuseport_filter *filter, struct reuseport_ruled **list,
			 size_t *n, struct reuseport_error *err)
{
	struct attachment *open = NULL;
	struct reuseport_ruled *all;
	size_t count = 0;
	int ret = caps_require("read the policy", err);

	if (!ret)
		ret = attachments_open(filter, &open, &count, err);
	if (ret)
		return ret;
	all = calloc(count, sizeof(*all));
	if (!all)
		ret = fail(err, ENOMEM, "out of memory");
	for (size_t i = 0; !ret && i < count; i++) {
		all[i].key = open[i].key;
		netns_name_of(all[i].key.netns, all[i].netns_name, sizeof(all[i].netns_name));
		ret = rules_read(&all[i].rules, &open[i].steering, &open[i].entry);
		if (ret)
			fail(err, -ret, "cannot read %s: %s", open[i].pin, strerror(-ret));
	}
	attachments_close(open, count);
	if (ret) {
		free(all);
		return ret;
	}
	*list = all;
	*n = count;
	return 0;
}
