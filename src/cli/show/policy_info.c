// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* Policy info: the group that is meant, its policy and the policy's options. */
#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "format.h"
#include "show/policy_info.h"

void show_netns(const struct reuseport_key *key, const char *netns_name, const char *before)
{
	uint64_t own = 0;

	if (!reuseport_netns(NULL, &own, NULL) && own == key->netns)
		return;
	printf("%s", before);
	if (*netns_name)
		format_print(netns_name);
	else
		printf("%llu", (unsigned long long)key->netns);
}

void show_policy_group(const struct reuseport_key *key, const char *netns_name, bool uid)
{
	char endpoint[FORMAT_ENDPOINT_MAX];

	format_endpoint(key, endpoint);
	printf("%s %s", format_proto(key->proto), endpoint);
	if (uid && key->has_uid)
		printf("  uid %u", key->uid);
	show_netns(key, netns_name, "  netns ");
}

void show_policy_info(const struct reuseport_policy_info *info)
{
	printf(" %s", info->policy);
	if (info->over_consistent)
		printf(" over consistent");
	if (strcmp(info->key, "tuple"))
		printf(", key %s", info->key);
	if (*info->hash_key)
		printf(", hash key %s", info->hash_key);
	if (info->given_cpus)
		printf(", CPUs given");
	if (info->places_alike)
		printf(", all %s alike", strcmp(info->policy, "numa") ? "CPUs" : "nodes");
}

void show_policy_line(const struct reuseport_group_policy *group, bool uid)
{
	show_policy_group(group->key, group->netns_name, uid);
	printf("  policy");
	show_policy_info(group->policy);
	putchar('\n');
}

json_t *show_policy_json(const struct reuseport_policy_info *info)
{
	bool by_place = !strcmp(info->policy, "cpu") || !strcmp(info->policy, "numa");

	return json_pack("{s:s, s:s*, s:s, s:s*, s:b, s:i, s:i, s:I, s:o*}", "policy", info->policy,
			 "over", info->over_consistent ? "consistent" : NULL, "key", info->key,
			 "hash_key", *info->hash_key ? info->hash_key : NULL, "given_cpus",
			 info->given_cpus, "table_entries", (int)info->table_entries, "table_width",
			 (int)info->table_width, "plans", (json_int_t)info->plans, "places_alike",
			 by_place ? json_boolean(info->places_alike) : NULL);
}
