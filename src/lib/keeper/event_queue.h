/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* Event queue: events that wait to be read, see worker_events.h. */
#ifndef KEEPER_EVENT_QUEUE_H
#define KEEPER_EVENT_QUEUE_H

#include "keeper/drained.h"
#include "reuseport_bpf.h"

/* A worker as it was told last. */
struct seen_worker {
	uint64_t cookie; /* 0: none */
	uint32_t pid;
	uint32_t generation;
	uint8_t state;
	uint8_t empty; /* looks, one after the other, that found nothing queued */
};

struct event_queue {
	struct seen_worker *seen; /* by slot; NULL: not needed yet */
	struct drained *drained;  /* NULL: no worker drains */
	uint64_t drain_at;        /* when to look at those, of CLOCK_MONOTONIC; UINT64_MAX: never */
	bool ended;
	struct reuseport_event last; /* that was taken */
	uint64_t lost;               /* since then */
	unsigned int first, n, room;
	struct reuseport_event events[];
};

/* Make a queue with room for so many; the oldest make room. Return NULL if out of memory. */
struct event_queue *event_queue_new(unsigned int room);
void event_queue_free(struct event_queue *queue);

/* Add what has happened to a worker just now. */
void event_queue_push(struct event_queue *queue, unsigned int kind, unsigned int slot,
		      const struct seen_worker *worker);

/* Take the oldest, which stays until the next call. Return NULL if there is none. */
const struct reuseport_event *event_queue_take(struct event_queue *queue);

#endif
