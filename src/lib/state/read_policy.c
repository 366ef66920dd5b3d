// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* The policy in use, read from the pinned maps. */
#include <bpf/bpf.h>
#include <errno.h>

#include "policy/policy_info.h"
#include "state/read_policy.h"

int read_policy(struct reuseport_rules *rules, const struct steering *steering,
		const struct attachment_entry *entry)
{
	struct control control;
	uint32_t zero = 0;

	if (bpf_map_lookup_elem(steering->maps[MAP_CONTROL], &zero, &control))
		return -errno;
	policy_info_of_plan(rules, &control.plan[control.epoch & 1]);
	rules->table_entries = entry->table_entries;
	rules->plans = control.epoch;
	return 0;
}
