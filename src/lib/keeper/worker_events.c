// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* Worker events: what the keeper has seen of its workers, by a comparison with what it told last.
 */
#include <limits.h>
#include <stdlib.h>

#include "keeper/event_queue.h"
#include "keeper/handle_owner.h"
#include "keeper/loop_time.h"
#include "keeper/plan_due.h"
#include "keeper/worker_events.h"
#include "state/generation.h"

#define DRAIN_PAUSE (50 * MS) /* between two looks at draining workers, */
#define DRAIN_PART 20         /* or that many times as long as one takes */
#define DRAIN_LOOKS 2         /* a handshake that ends is counted nowhere for a moment */

/* ------------------------------------------------------------- a look at all */

static unsigned int worker_events_kind_of(unsigned int state)
{
	switch (state) {
	case WORKER_ACTIVE:
		return REUSEPORT_EVENT_READY;
	case WORKER_JOINING:
		return REUSEPORT_EVENT_WAITING;
	default:
		return REUSEPORT_EVENT_DRAINING;
	}
}

/* Read the worker that has the slot at this moment; its cookie is 0 if none has. */
static struct seen_worker worker_events_read(const struct reuseport_group *group, unsigned int slot)
{
	const struct worker_entry *entry = &group->at.view.workers[slot];
	const struct slot *at = &group->slots[slot];

	if (!at->cookie || at->reserved)
		return (struct seen_worker){ .state = WORKER_FREE };
	return (struct seen_worker){
		.cookie = at->cookie,
		.pid = entry->pid,
		.generation = entry->generation,
		.state = generation_state(generations_in_use(&group->at.view), entry),
	};
}

static void worker_events_compare(struct event_queue *queue, unsigned int slot,
				  const struct seen_worker *now)
{
	struct seen_worker *seen = &queue->seen[slot];

	if (seen->cookie && seen->cookie != now->cookie) {
		seen->state = WORKER_FREE;
		event_queue_push(queue, REUSEPORT_EVENT_LEFT, slot, seen);
	}
	if (now->cookie && seen->cookie != now->cookie) {
		*seen = *now;
		seen->state = WORKER_JOINING;
		event_queue_push(queue, REUSEPORT_EVENT_JOINED, slot, seen);
	}
	if (seen->state != now->state && now->cookie) {
		unsigned int kind = worker_events_kind_of(now->state);
		bool drains_on = seen->state >= WORKER_DRAINING && now->state >= WORKER_DRAINING;
		uint8_t empty = drains_on ? seen->empty : 0;

		*seen = *now;
		seen->empty = empty;
		if (!drains_on)
			event_queue_push(queue, kind, slot, seen);
	}
	seen->cookie = now->cookie;
	seen->pid = now->pid;
	seen->generation = now->generation;
}

/* ----------------------------------------------------------------- draining */

static bool worker_events_is_drain(const struct seen_worker *seen)
{
	return seen->cookie && seen->state >= WORKER_DRAINING && seen->empty < DRAIN_LOOKS;
}

static bool worker_events_has_drain(const struct reuseport_group *group)
{
	const struct event_queue *queue = group->events;

	for (unsigned int slot = 0; slot < group->at.entry.slots; slot++)
		if (worker_events_is_drain(&queue->seen[slot]))
			return true;
	return false;
}

/* Look at what those that drain still have. */
static void worker_events_look_at_drains(struct reuseport_group *group)
{
	struct event_queue *queue = group->events;

	if (!queue->drained)
		queue->drained = drained_open(&group->at);
	if (!queue->drained || drained_begin(queue->drained, &group->at, &group->ns))
		return;
	for (unsigned int slot = 0; slot < group->at.entry.slots; slot++) {
		struct seen_worker *seen = &queue->seen[slot];

		if (!worker_events_is_drain(seen))
			continue;
		seen->empty = drained_is(queue->drained, slot, seen->cookie) ? seen->empty + 1 : 0;
		if (seen->empty == DRAIN_LOOKS)
			event_queue_push(queue, REUSEPORT_EVENT_DRAINED, slot, seen);
	}
	drained_end(queue->drained);
}

/* Look at them now if it is time, and plan the next look. */
static void worker_events_follow_drains(struct reuseport_group *group)
{
	struct event_queue *queue = group->events;
	uint64_t begun = loop_now(), took;

	if (queue->drain_at <= begun)
		worker_events_look_at_drains(group);
	if (!worker_events_has_drain(group)) {
		drained_close(queue->drained);
		queue->drained = NULL;
		queue->drain_at = UINT64_MAX;
		return;
	}
	if (queue->drain_at > begun && queue->drain_at != UINT64_MAX)
		return;
	took = (loop_now() - begun) * DRAIN_PART;
	queue->drain_at = loop_now() + (took > DRAIN_PAUSE ? took : DRAIN_PAUSE);
}

/* ------------------------------------------------------------------- calls */

void worker_events_look(struct reuseport_group *group)
{
	struct event_queue *queue = group->events;

	if (!queue || queue->ended || plan_due_is_pending(group))
		return;
	if (!queue->seen)
		queue->seen = calloc(group->at.entry.slots, sizeof(*queue->seen));
	for (unsigned int slot = 0; queue->seen && slot < group->at.entry.slots; slot++) {
		struct seen_worker now = worker_events_read(group, slot);

		worker_events_compare(queue, slot, &now);
	}
	if (queue->seen)
		worker_events_follow_drains(group);
}

void worker_events_end(struct reuseport_group *group)
{
	struct event_queue *queue = group->events;

	if (!queue || queue->ended)
		return;
	event_queue_push(queue, REUSEPORT_EVENT_DETACHED, UINT_MAX, &(struct seen_worker){ 0 });
	queue->ended = true;
	queue->drain_at = UINT64_MAX;
}

uint64_t worker_events_due(const struct reuseport_group *group)
{
	return group->events ? group->events->drain_at : UINT64_MAX;
}

const struct reuseport_event *reuseport_group__next_event(struct reuseport_group *group)
{
	if (handle_owner_check(group, NULL) || !group->events)
		return NULL;
	return event_queue_take(group->events);
}
