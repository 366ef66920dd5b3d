// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* Event queue: events that wait to be read. */
#include <stdlib.h>

#include "clock.h"
#include "keeper/event_queue.h"

struct event_queue *event_queue_new(unsigned int room)
{
	struct event_queue *queue = calloc(1, sizeof(*queue) + room * sizeof(queue->events[0]));

	if (!queue)
		return NULL;
	queue->room = room;
	queue->drain_at = UINT64_MAX;
	return queue;
}

void event_queue_free(struct event_queue *queue)
{
	if (!queue)
		return;
	drained_close(queue->drained);
	free(queue->seen);
	free(queue);
}

void event_queue_push(struct event_queue *queue, unsigned int kind, unsigned int slot,
		      const struct seen_worker *worker)
{
	struct reuseport_event event = { .kind = kind,
					 .slot = slot,
					 .pid = worker->pid,
					 .state = worker->state,
					 .generation = worker->generation,
					 .cookie = worker->cookie,
					 .time_ns = clock_ns(CLOCK_BOOTTIME) };

	if (queue->n == queue->room) {
		queue->first = (queue->first + 1) % queue->room;
		queue->n--;
		queue->lost++;
	}
	queue->events[(queue->first + queue->n++) % queue->room] = event;
}

const struct reuseport_event *event_queue_take(struct event_queue *queue)
{
	if (!queue->n)
		return NULL;
	queue->last = queue->events[queue->first];
	queue->last.lost = queue->lost;
	queue->lost = 0;
	queue->first = (queue->first + 1) % queue->room;
	queue->n--;
	return &queue->last;
}

const char *reuseport_event_name(unsigned int kind)
{
	static const char *const names[] = {
		[REUSEPORT_EVENT_JOINED] = "joined",     [REUSEPORT_EVENT_READY] = "ready",
		[REUSEPORT_EVENT_WAITING] = "waiting",   [REUSEPORT_EVENT_DRAINING] = "draining",
		[REUSEPORT_EVENT_DRAINED] = "drained",   [REUSEPORT_EVENT_LEFT] = "left",
		[REUSEPORT_EVENT_DETACHED] = "detached",
	};

	return kind && kind < sizeof(names) / sizeof(names[0]) ? names[kind] : "unknown";
}
