// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* Unadded: members that were not added, where this process may not look for them. */
#include <stdbool.h>
#include <syslog.h>

#include "clock.h"
#include "keeper/slots.h"
#include "keeper/unadded.h"
#include "state/ages.h"

#define UNADDED_PAUSE_NS (500 * CLOCK_MS) /* who makes them is about to have them added */

static void unadded_log(struct reuseport_group *group, const struct sock_diag_list *members)
{
	size_t n = 0;

	for (size_t i = 0; i < members->n; i++)
		n += slots_find(group, members->sockets[i].cookie) == SLOT_NONE;
	handle_log(group, LOG_WARNING,
		   "%s: %zu member%s without a slot, which no command reaches: not added, and to "
		   "look for the process that has %s, this one needs CAP_SYS_PTRACE",
		   group->at.text, n, n == 1 ? "" : "s", n == 1 ? "it" : "them");
}

void unadded_note(struct reuseport_group *group, const struct sock_diag_list *members, uint64_t sum)
{
	uint64_t now = clock_ns(CLOCK_MONOTONIC);

	if (sum != group->refused)
		group->refused_until = now + UNADDED_PAUSE_NS;
	group->refused = sum;
	if (!sum || sum == group->refused_logged)
		return;
	if (now < group->refused_until) {
		group->loop.refresh_at = group->refused_until;
		return;
	}
	ages_note(&group->at.view, AGE_LEFT_OUT, true);
	map_view_store(&group->at.view);
	group->refused_logged = sum;
	unadded_log(group, members);
}
