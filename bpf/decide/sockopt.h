/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * Socket options: which request of a worker is taken, and what it means: for the next packet, for
 * the worker's state, and for what the worker reads of itself. Pure: the same text in the BPF
 * programs, the keeper and the tests.
 */
#ifndef DECIDE_SOCKOPT_H
#define DECIDE_SOCKOPT_H

#include <linux/errno.h>
#include <stdbool.h>

#include "abi.h"
#include "reuseport_sockopt.h"

#define SOCKOPT_WEIGHT_MAX 1000
#define SOCKOPT_STATE_MIN 4 /* bytes of struct reuseport_worker_sockopt that are asked for */

/* ------------------------------------------------------------------- requests */

/* Return 0, -ENOPROTOOPT: there is no such request, or -EINVAL: it has no such value. */
static inline int sockopt_check(__u32 name, __u32 value)
{
	switch (name) {
	case REUSEPORT_READY:
		return value <= 1 ? 0 : -EINVAL;
	case REUSEPORT_DRAIN:
		return value <= 2 ? 0 : -EINVAL;
	case REUSEPORT_WEIGHT:
		return value <= SOCKOPT_WEIGHT_MAX ? 0 : -EINVAL;
	case REUSEPORT_ID:
		return 0;
	default:
		return -ENOPROTOOPT;
	}
}

/*
 * Add one request to those of the socket. Return 0, or as sockopt_check(), with nothing changed.
 * -EOVERFLOW: the socket has made 2^32 - 1 of them: numbers do not begin again.
 */
static inline int sockopt_take(struct request *request, __u32 name, __u32 value)
{
	int ret = sockopt_check(name, value);

	if (ret)
		return ret;
	if (request->count == 0xffffffff)
		return -EOVERFLOW;
	request->count++;
	if (name == REUSEPORT_READY) {
		request->ready = value;
		request->ready_at = request->count;
	} else if (name == REUSEPORT_DRAIN) {
		request->drain = value;
		request->drain_at = request->count;
	} else if (name == REUSEPORT_WEIGHT) {
		request->weight = value;
		request->weight_at = request->count;
	} else {
		request->id = value;
		request->id_at = request->count;
	}
	return 0;
}

/* ---------------------------------------------------------------- what it means */

/* Return what holds for the next packet, though no keeper runs: of enum asked_what. */
static inline __u32 sockopt_asks(const struct request *request)
{
	if (request->drain == 2)
		return ASKED_RELEASE;
	if (request->drain == 1 || (request->ready_at && !request->ready))
		return ASKED_DRAIN;
	return ASKED_NOTHING_MORE;
}

/* Return whether a request of this name can change that. */
static inline bool sockopt_is_for_next_packet(__u32 name)
{
	return name == REUSEPORT_READY || name == REUSEPORT_DRAIN;
}

/*
 * Return whether the keeper is to be told of the newest request: it has read all earlier ones. So
 * there is one notice at most for each worker that it has not read.
 */
static inline bool sockopt_is_to_be_told(const struct request *request, __u32 taken)
{
	return taken + 1 >= request->count;
}

static inline __u32 sockopt_state_after_ready(__u32 state, __u32 ready)
{
	if (ready)
		return state == WORKER_JOINING ? WORKER_ACTIVE : state;
	return state == WORKER_ACTIVE ? WORKER_JOINING : state;
}

static inline __u32 sockopt_state_after_drain(__u32 state, const struct request *request)
{
	if (request->drain)
		return request->drain == 2 ? WORKER_LEAVING : WORKER_DRAINING;
	if (state != WORKER_DRAINING && state != WORKER_LEAVING)
		return state;
	return request->ready_at && !request->ready ? WORKER_JOINING : WORKER_ACTIVE;
}

/*
 * Return the worker's own state (enum worker_state) when the requests after the number "applied"
 * are applied to it, in the order in which they were made.
 */
static inline __u32 sockopt_state_after(__u32 state, const struct request *request, __u32 applied)
{
	bool ready_is_new = request->ready_at > applied;

	if (ready_is_new && request->ready_at < request->drain_at)
		state = sockopt_state_after_ready(state, request->ready);
	if (request->drain_at > applied)
		state = sockopt_state_after_drain(state, request);
	if (ready_is_new && request->ready_at > request->drain_at)
		state = sockopt_state_after_ready(state, request->ready);
	return state;
}

/* ------------------------------------------------------------- what a worker reads */

/* Fill in what a socket without a slot reads. */
static inline void sockopt_describe_socket(struct reuseport_worker_sockopt *to,
					   const struct request *request, bool bound)
{
	to->state = bound ? WORKER_JOINING : WORKER_FREE;
	to->slot = REUSEPORT_NO_SLOT;
	to->weight = request->weight_at ? request->weight : 1;
	to->id = request->id; /* 0 without a request */
}

/* Fill in what a worker reads, but for its queues. */
static inline void sockopt_describe_member(struct reuseport_worker_sockopt *to,
					   const struct member *member)
{
	to->state = member->state;
	to->slot = member->slot;
	to->generation = member->generation;
	to->weight = member->weight;
	to->id = member->has_id ? member->id : 0;
	to->flows = member->flows;
	to->seq = member->seq;
}

#endif
