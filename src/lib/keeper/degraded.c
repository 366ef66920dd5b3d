// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* Ways: how an attachment does what not every kernel can; noted and told. */
#include <netinet/in.h>
#include <syslog.h>

#include "keeper/degraded.h"

void ways_note(struct reuseport_group *group)
{
	group->entry.events = group->events != NULL;
	group->entry.iterators = group->reader || features_have(group->features, FEATURE_ITERATORS);
}

struct reuseport_ways ways_of(const struct attachment_entry *entry, const struct mapped *mapped)
{
	return (struct reuseport_ways){
		.migrates = entry->migrates,
		.plain_reads = entry->plain_reads,
		.mmapped = mapped_in_memory(mapped),
		.events = entry->events,
		.iterators = entry->iterators,
	};
}

/* What an order has switched off is no news to who gave it; a loss is. */
static void tell(const struct reuseport_group *group, enum feature feature, bool is_loss)
{
	bool ordered = features_disabled(group->features, feature);

	group_log(group, is_loss && !ordered ? LOG_WARNING : LOG_INFO, "%s: without %s: %s",
		  group->text, features_name(feature), features_without(feature));
}

void ways_tell(const struct reuseport_group *group)
{
	struct reuseport_ways ways = ways_of(&group->entry, &group->mapped);

	if (!ways.migrates && group->key.proto == IPPROTO_TCP)
		tell(group, FEATURE_MIGRATION, true);
	if (!ways.iterators)
		tell(group, FEATURE_ITERATORS, true);
	if (!ways.plain_reads)
		tell(group, FEATURE_PLAIN_READS, false);
	if (!ways.mmapped)
		tell(group, FEATURE_MMAP, false);
}
