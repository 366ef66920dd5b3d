/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* Ages: since when workers and the group have the states that they have. CLOCK_BOOTTIME, 0: not
 * known. Who changes a state notes it here; map_view_store() is the caller's. */
#ifndef STATE_AGES_H
#define STATE_AGES_H

#include "clock.h"
#include "state/generation.h"

static inline void ages_begin_state(const struct map_view *view, unsigned int slot)
{
	view->ages[slot].since_ns = clock_ns(CLOCK_BOOTTIME);
}

static inline void ages_forget_state(const struct map_view *view, unsigned int slot)
{
	view->ages[slot].since_ns = 0;
}

static inline uint64_t ages_of_state(const struct map_view *view, unsigned int slot)
{
	return view->ages[slot].since_ns;
}

static inline struct age *ages_of_group(const struct map_view *view, enum group_age which)
{
	return &view->ages[view->size.slots + which];
}

/* Note that something is so, if it was not so before, or that it is not. */
static inline void ages_note(const struct map_view *view, enum group_age which, bool is)
{
	struct age *age = ages_of_group(view, which);

	if (!is)
		age->since_ns = 0;
	else if (!age->since_ns)
		age->since_ns = clock_ns(CLOCK_BOOTTIME);
}

/* Note which workers have got other states by the generations that are in use now, and that their
 * phase has begun. */
static inline void ages_begin_phase(const struct map_view *view, const struct generations *before)
{
	const struct generations *now = generations_in_use(view);

	for (unsigned int slot = 0; slot < view->size.slots; slot++)
		if (view->workers[slot].state != WORKER_FREE &&
		    generation_state(now, &view->workers[slot]) !=
			    generation_state(before, &view->workers[slot]))
			ages_begin_state(view, slot);
	if (now->phase != before->phase)
		ages_of_group(view, AGE_ROLLOUT)->since_ns = generation_in_rollout(now) ?
								     clock_ns(CLOCK_BOOTTIME) :
								     0;
}

#endif
