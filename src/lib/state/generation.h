/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * Generations: which workers get new work. They are stored with the table and change with
 * it in one step; a worker's own entry does not change.
 */
#ifndef STATE_GENERATION_H
#define STATE_GENERATION_H

#include "state/map_view.h"

/* Return the generations in use. */
static inline const struct generations *generations_in_use(const struct map_view *view)
{
	return half_generations(view, view->control->epoch);
}

/* Return the generation of a worker that joins now. */
static inline uint32_t generation_of_newcomer(const struct generations *g)
{
	return g->phase == ROLLOUT_BEGUN ? g->other : g->serving;
}

static inline bool generation_in_rollout(const struct generations *g)
{
	return g->phase != ROLLOUT_NONE;
}

/*
 * Return whether a worker that has joined may be active: it is admitted automatically, or
 * it waits by its generation, for the switch of a rollout that has begun. The worker's own
 * generation decides that, and not the phase alone: a rollout may have begun after it was
 * made one of the serving generation.
 */
static inline bool generation_admits(const struct plan *plan, const struct generations *g,
				     const struct worker_entry *entry)
{
	return !(plan->flags & PLAN_ADMIT_MANUAL) ||
	       (g->phase == ROLLOUT_BEGUN && entry->generation == g->other);
}

/* Return the effective state: the worker's own combined with its generation's. */
static inline enum worker_state generation_state(const struct generations *g,
						 const struct worker_entry *entry)
{
	if (entry->state != WORKER_ACTIVE || entry->generation == g->serving)
		return entry->state;
	return g->phase == ROLLOUT_BEGUN && entry->generation == g->other ? WORKER_JOINING :
									    WORKER_DRAINING;
}

#endif
