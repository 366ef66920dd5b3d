// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* Program seen: what a look has told of a group's program, and what is to be done about it. */
#include <syslog.h>

#include "keeper/handle.h"
#include "keeper/loop_time.h"
#include "keeper/program_seen.h"
#include "keeper/slots.h"
#include "state/ages.h"

/* Log it once. That it is missing is logged by who puts it back. */
static void seen_note(struct reuseport_group *group, enum program_seen_kind kind, uint32_t id)
{
	struct program_seen *seen = &group->loop.program;
	const char *text = group->at.text;
	char name[64] = "classic BPF";

	if (seen->kind == kind && seen->id == id)
		return;
	if (kind == PROGRAM_OURS && seen->kind == PROGRAM_FOREIGN)
		handle_log(group, LOG_NOTICE, "%s: the program is there again: it is steered",
			   text);
	else if (kind == PROGRAM_FOREIGN && (!id || !group_program_name(id, name, sizeof(name))))
		handle_log(group, LOG_WARNING,
			   "%s: another program picks (id %u%s%s), so it is not steered: turn it "
			   "off in the server, or force an attach to replace it",
			   text, id, *name ? ", " : "", name);
	seen->kind = kind;
	seen->id = id;
}

/* Note when the kernel was asked, for who looks at the status. */
static void seen_note_time(const struct reuseport_group *group, uint64_t asked_at)
{
	const struct map_view *view = &group->at.view;

	ages_of_group(view, AGE_LOOK)->since_ns = clock_ns(CLOCK_BOOTTIME) -
						  (loop_now() - asked_at);
	map_view_store(view);
}

uint64_t program_seen_member(const struct reuseport_group *group)
{
	for (unsigned int slot = 0; group->workers && slot < group->at.entry.slots; slot++)
		if (group->slots[slot].cookie && !group->slots[slot].reserved)
			return group->slots[slot].cookie;
	return 0;
}

bool program_seen_take(struct reuseport_group *group, const struct program_ask *ask,
		       const struct program_answer *answer, uint64_t asked_at)
{
	/* It has left meanwhile. */
	if (!answer->found || slots_find(group, ask->cookies[answer->index]) == SLOT_NONE)
		return false;
	seen_note_time(group, asked_at);
	if (!answer->present) {
		seen_note(group, PROGRAM_NONE, 0);
		group->loop.mend_due = true;
		return true;
	}
	if (answer->id == group->at.steering.program_id)
		seen_note(group, PROGRAM_OURS, 0);
	else
		seen_note(group, PROGRAM_FOREIGN, answer->id);
	return false;
}
