// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* Degraded: which fallbacks an attachment uses for features that the kernel lacks. */
#include <netinet/in.h>
#include <syslog.h>
#include <unistd.h>

#include "keeper/degraded.h"
#include "state/sockopt_set.h"

void degraded_note(struct reuseport_group *group, bool events)
{
	if (!group->passing)
		group->at.entry.events = events;
	group->at.entry.iterators = group->reader ||
				    features_have(group->features, FEATURE_ITERATORS);
}

struct reuseport_modes degraded_modes(const struct attachment *at)
{
	return (struct reuseport_modes){
		.migrates = at->entry.migrates,
		.plain_reads = at->entry.plain_reads,
		.mmapped = map_view_in_memory(&at->view),
		.events = at->entry.events,
		.iterators = at->entry.iterators,
	};
}

/* Log one fallback: as a warning if something is lost, unless the user has disabled the
 * feature (REUSEPORT_DISABLE). */
static void degraded_log_one(const struct reuseport_group *group, enum feature feature,
			     bool is_loss)
{
	bool disabled = features_disabled(group->features, feature);

	handle_log(group, is_loss && !disabled ? LOG_WARNING : LOG_INFO, "%s: without %s: %s",
		   group->at.text, feature_row(feature)->name, feature_row(feature)->without);
}

/* Log why workers cannot ask by socket options. */
static void degraded_log_sockopt(const struct reuseport_group *group)
{
	bool disabled = features_disabled(group->features, FEATURE_SOCKOPT);
	struct reuseport_error error = { 0 };
	int root = handle_open_root(group);

	if (root < 0)
		return;
	if (sockopt_set_explain(root, group->features, &error))
		handle_log(group, disabled ? LOG_INFO : LOG_WARNING, "%s: %s", group->at.text,
			   error.text);
	close(root);
}

void degraded_log(const struct reuseport_group *group)
{
	struct reuseport_modes modes = degraded_modes(&group->at);

	if (!modes.migrates && group->at.key.proto == IPPROTO_TCP)
		degraded_log_one(group, FEATURE_MIGRATION, true);
	/* Without events there are no hooks at all, as the log says already. */
	if (modes.events)
		degraded_log_sockopt(group);
	if (!modes.iterators)
		degraded_log_one(group, FEATURE_ITERATORS, true);
	if (!modes.plain_reads)
		degraded_log_one(group, FEATURE_PLAIN_READS, false);
	if (!modes.mmapped)
		degraded_log_one(group, FEATURE_MMAP, false);
}
