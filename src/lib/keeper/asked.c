// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* Asked: take what the workers of a group have asked for by socket options, and apply it. */
#include <errno.h>
#include <syslog.h>
#include <unistd.h>

#include "decide/sockopt.h"
#include "fd.h"
#include "keeper/asked.h"
#include "keeper/asked_member.h"
#include "keeper/asked_settle.h"
#include "keeper/loop_time.h"
#include "state/ages.h"
#include "state/plan_lock.h"
#include "state/sockopt_members.h"

/* A worker that asks more often than so many times in so long is heard later. */
#define TAKES_MAX 10
#define TAKES_TIME (100 * MS)
#define LOCK_WAIT_MS 2
#define LOCK_RETRY (2 * MS)

/* ------------------------------------------------------------------- applying */

static void asked_apply_id(struct reuseport_group *group, unsigned int slot, uint32_t id)
{
	int ret = asked_member_set_id(group, slot, id);

	if (ret)
		handle_log(group, LOG_WARNING, "%s: slot %u cannot have the id %u: %s",
			   group->at.text, slot, id,
			   ret == -EEXIST ? "another worker of its generation has it" :
					    "there is no room for more ids");
}

/* Apply the requests that the worker's entry does not have. */
static void asked_apply(struct reuseport_group *group, unsigned int slot,
			const struct request *request)
{
	const struct generations *g = generations_in_use(&group->at.view);
	struct worker_entry *entry = &group->at.view.workers[slot];
	enum worker_state before = generation_state(g, entry);
	struct slot *at = &group->slots[slot];
	uint32_t state = sockopt_state_after(entry->state, request, at->applied);

	if (state != entry->state)
		__atomic_store_n(&entry->state, state, __ATOMIC_RELEASE);
	if (request->weight_at > at->applied)
		entry->weight = request->weight;
	if (request->id_at > at->applied)
		asked_apply_id(group, slot, request->id);
	if (generation_state(g, entry) != before)
		ages_begin_state(&group->at.view, slot);
	at->applied = request->count;
}

/* --------------------------------------------------------------------- taking */

/* Read what a worker asks for; return whether there is something new. */
static bool asked_read(struct reuseport_group *group, unsigned int slot, struct request *request)
{
	struct slot *at = &group->slots[slot];

	at->asks = false;
	if (group->at.entry.no_sockopt ||
	    !sockopt_members_request(group->sockopt, at->cookie, request))
		return false;
	/* Of a later one we are told again; what came between the two is read now. */
	at->member.taken = request->count;
	asked_member_write(group, slot);
	return sockopt_members_request(group->sockopt, at->cookie, request) &&
	       request->count > at->applied;
}

/* Return whether to read what the worker asks for now; otherwise asking.at says when. */
static bool asked_may_take(struct reuseport_group *group, unsigned int slot)
{
	struct slot *at = &group->slots[slot];
	uint64_t now = loop_now();

	if (!at->asks || !at->cookie || at->reserved || !at->member.attachment)
		return false;
	if (now >= at->takes_since + TAKES_TIME) {
		at->takes_since = now;
		at->takes = 0;
	}
	if (at->takes < TAKES_MAX) {
		at->takes++;
		return true;
	}
	group->loop.asking.at = loop_sooner(group->loop.asking.at, at->takes_since + TAKES_TIME);
	return false;
}

/* Take what is due with the plan lock, which is taken when there is something. Return the lock,
 * -1: none was needed, or -EBUSY: it is to be tried again. */
static int asked_take(struct reuseport_group *group)
{
	struct request request;
	int lock = -1;

	for (unsigned int slot = 0; slot < group->at.entry.slots; slot++) {
		if (!asked_may_take(group, slot) || !asked_read(group, slot, &request))
			continue;
		if (lock < 0)
			lock = plan_lock(&group->at, LOCK_WAIT_MS, NULL);
		if (lock < 0) {
			group->slots[slot].asks = true;
			return -EBUSY;
		}
		asked_apply(group, slot, &request);
	}
	return lock;
}

static void asked_take_due(struct reuseport_group *group)
{
	struct asking *asking = &group->loop.asking;
	uint64_t held = asked_settle_holds(group);
	int lock;

	asking->due = false;
	asking->at = NEVER;
	if (held > loop_now()) {
		asking->at = held;
		return;
	}
	lock = asked_take(group);
	if (lock == -EBUSY)
		asking->at = loop_sooner(asking->at, loop_now() + LOCK_RETRY);
	if (lock < 0)
		return;
	map_view_store(&group->at.view);
	close(lock);
	asking->unpublished = asking->settles = true;
	asking->published = loop_now();
	group->loop.plan_due = true;
}

/* ---------------------------------------------------------------- registering */

/* Have the programs know the group and its workers; again if the maps were made again, in which no
 * worker has asked for anything. */
static void asked_register(struct reuseport_group *group)
{
	unsigned int opened = event_ring_sockopt_opened(group->loop.ring);
	bool again = group->loop.asking.opened;

	if (group->loop.asking.opened == opened)
		return;
	group->loop.asking.opened = opened;
	for (unsigned int slot = 0; slot < group->at.entry.slots; slot++) {
		struct slot *at = &group->slots[slot];

		if (!at->cookie || (at->member.attachment && !again))
			continue;
		at->member = (struct member){ 0 };
		at->applied = 0;
		asked_member_adopt(group, slot);
	}
	asked_steer(group);
}

void asked_steer(struct reuseport_group *group)
{
	if (group->sockopt && sockopt_members_steer(group->sockopt, &group->at))
		handle_log(group, LOG_WARNING,
			   "%s: its workers cannot ask by socket options: %d groups can",
			   group->at.text, ATTACHMENTS_MAX);
}

/* After a resync all are looked at: a notice may have been lost. */
static void asked_look_at_all(struct reuseport_group *group)
{
	if (group->loop.asking.looked == group->loop.resynced)
		return;
	group->loop.asking.looked = group->loop.resynced;
	for (unsigned int slot = 0; slot < group->at.entry.slots; slot++)
		if (group->slots[slot].member.attachment)
			asked_member_joined(group, slot);
}

/* ----------------------------------------------------------------- when it is due */

void asked_note(struct reuseport_group *group, uint32_t slot)
{
	if (slot < group->at.entry.slots)
		asked_member_joined(group, slot);
}

void asked_turn(struct reuseport_group *group)
{
	struct asking *asking = &group->loop.asking;

	if (!group->loop.ring)
		return;
	group->sockopt = event_ring_sockopt(group->loop.ring);
	if (!group->sockopt)
		return;
	asked_register(group);
	asked_look_at_all(group);
	if (asking->due || (asking->at && asking->at <= loop_now()))
		asked_take_due(group);
}

void asked_before_publish(struct reuseport_group *group, bool wait_ready)
{
	struct request request;

	for (unsigned int slot = 0; slot < group->at.entry.slots; slot++) {
		struct worker_entry *entry = &group->at.view.workers[slot];

		if (!group->slots[slot].cookie)
			continue;
		if (wait_ready && entry->state == WORKER_ACTIVE)
			entry->state = WORKER_JOINING;
		if (!group->sockopt || !asked_read(group, slot, &request))
			continue;
		asked_apply(group, slot, &request);
		/* Whoever keeps the group, tells the worker when it is in effect. */
		group->loop.asking.settles = group->loop.asking.unpublished = true;
	}
	map_view_store(&group->at.view);
}

uint64_t asked_due(const struct reuseport_group *group)
{
	const struct asking *asking = &group->loop.asking;
	uint64_t at = asking->at ? asking->at : NEVER;

	if (!group->sockopt)
		return NEVER;
	if (asking->due)
		return 0;
	return asking->flows_at ? loop_sooner(at, asking->flows_at) : at;
}
