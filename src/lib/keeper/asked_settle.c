// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/*
 * Asked settle: tell workers which of their requests are in effect: a plan that has them was
 * published, and since then a grace period of RCU has passed, so that no packet goes by an older
 * one. It passes for all groups of the host's keeper at once.
 */
#include <stdlib.h>
#include <unistd.h>

#include "keeper/asked_member.h"
#include "keeper/asked_settle.h"
#include "keeper/loop_time.h"
#include "state/ages.h"
#include "state/flow_table.h"
#include "state/plan_lock.h"
#include "state/publish.h"

#define WAIT_PACE (50 * MS) /* the wait holds up all other work: between two of them */
#define LOCK_RETRY (2 * MS)
#define FLOWS_PACE (250 * MS)
#define FLOWS_SHARE 50 /* of the time: counting may take so large a part */

/* ------------------------------------------------------------------ the words */

/* Clear the word of a request that the plan has, unless there is a later one by now. */
static void asked_settle_word(const struct reuseport_group *group, unsigned int slot)
{
	union {
		struct asked_slot parts;
		uint64_t whole;
	} seen;
	uint64_t *word = (uint64_t *)&group->at.view.asked[slot];

	seen.whole = __atomic_load_n(word, __ATOMIC_ACQUIRE);
	if (seen.whole && seen.parts.count <= group->slots[slot].applied)
		__atomic_compare_exchange_n(word, &seen.whole, 0, false, __ATOMIC_ACQ_REL,
					    __ATOMIC_RELAXED);
}

/* Have the program look at the words no longer, unless there is one. */
static void asked_settle_words(const struct reuseport_group *group)
{
	struct control *control = group->at.view.control;
	const struct asked_slot *asked = group->at.view.asked;

	if (!asked || !__atomic_load_n(&control->asked, __ATOMIC_RELAXED))
		return;
	__atomic_store_n(&control->asked, 0, __ATOMIC_SEQ_CST);
	/* Whoever writes a word after this look says so after it, too. */
	for (unsigned int slot = 0; slot < group->at.entry.slots; slot++)
		if (__atomic_load_n(&asked[slot].what, __ATOMIC_SEQ_CST))
			__atomic_store_n(&control->asked, 1, __ATOMIC_SEQ_CST);
}

/* ------------------------------------------------------------------- settling */

/* Return whether no packet goes by an older plan; otherwise asking.at says when to try again. */
static bool asked_settle_wait(struct reuseport_group *group)
{
	struct asking *asking = &group->loop.asking;
	uint64_t *waited = group->shared ? &group->shared->waited : &asking->waited;
	uint64_t now = loop_now();
	int lock;

	/* Another group has waited meanwhile. */
	if (*waited > asking->published)
		return true;
	if (now < *waited + WAIT_PACE) {
		asking->at = loop_sooner(asking->at, *waited + WAIT_PACE);
		return false;
	}
	lock = plan_lock(&group->at, 0, NULL);
	if (lock < 0) {
		asking->at = loop_sooner(asking->at, now + LOCK_RETRY);
		return false;
	}
	/* By force: sticky flows go by the worker's state, for which there may be no new plan. */
	publish_synchronize(&group->at, true);
	close(lock);
	*waited = now;
	return true;
}

uint64_t asked_settle_holds(const struct reuseport_group *group)
{
	const uint64_t *waited = group->shared ? &group->shared->waited :
						 &group->loop.asking.waited;

	if (ages_of_group(&group->at.view, AGE_SETTLED)->since_ns == group->at.view.control->epoch)
		return 0;
	return *waited + WAIT_PACE;
}

static void asked_settle_workers(struct reuseport_group *group)
{
	for (unsigned int slot = 0; slot < group->at.entry.slots; slot++) {
		struct slot *at = &group->slots[slot];

		if (!at->member.attachment || at->member.seq >= at->applied)
			continue;
		if (group->at.view.asked)
			asked_settle_word(group, slot);
		at->member.seq = at->applied;
		asked_member_write(group, slot);
	}
	asked_settle_words(group);
}

/* ---------------------------------------------------------------------- flows */

static bool asked_settle_counts(const struct slot *at)
{
	return at->member.attachment && at->applied &&
	       (at->member.state == WORKER_DRAINING || at->member.state == WORKER_LEAVING);
}

static void asked_settle_write_flows(struct reuseport_group *group, const uint64_t *by_slot)
{
	for (unsigned int slot = 0; slot < group->at.entry.slots; slot++) {
		struct slot *at = &group->slots[slot];

		if (!asked_settle_counts(at) || at->member.flows == by_slot[slot])
			continue;
		at->member.flows = by_slot[slot];
		asked_member_write(group, slot);
	}
}

/* Count the flows of workers that drain, as they have asked. */
static void asked_settle_flows(struct reuseport_group *group)
{
	uint64_t begun = loop_now(), *by_slot, took;
	unsigned int slot = 0;

	if (!group->at.view.flows || begun < group->loop.asking.flows_at)
		return;
	group->loop.asking.flows_at = 0;
	while (slot < group->at.entry.slots && !asked_settle_counts(&group->slots[slot]))
		slot++;
	if (slot == group->at.entry.slots)
		return;
	by_slot = calloc(group->at.entry.slots, sizeof(*by_slot));
	if (by_slot) {
		flow_table_count(&group->at.view, by_slot);
		asked_settle_write_flows(group, by_slot);
	}
	free(by_slot);
	took = (loop_now() - begun) * FLOWS_SHARE;
	group->loop.asking.flows_at = begun + (took > FLOWS_PACE ? took : FLOWS_PACE);
	group->loop.asking.flows_rest = begun + took;
}

/* Return whether a worker that is about to read that it drains has flows that were not counted. */
static bool asked_settle_is_uncounted(const struct reuseport_group *group)
{
	for (unsigned int slot = 0; slot < group->at.entry.slots; slot++) {
		const struct slot *at = &group->slots[slot];

		if (asked_settle_counts(at) && at->member.seq < at->applied)
			return true;
	}
	return false;
}

/*
 * Count the flows of workers that have begun to drain, before seq says that they do: a worker
 * without flows ends then. Return whether that is done; otherwise asking.at says when.
 */
static bool asked_settle_count(struct reuseport_group *group)
{
	struct asking *asking = &group->loop.asking;

	if (!group->at.view.flows || !asked_settle_is_uncounted(group))
		return true;
	if (loop_now() < asking->flows_rest) {
		asking->at = loop_sooner(asking->at, asking->flows_rest);
		return false;
	}
	asking->flows_at = 0;
	asked_settle_flows(group);
	return true;
}

void asked_settle(struct reuseport_group *group)
{
	struct asking *asking = &group->loop.asking;

	if (!group->sockopt || group->passing)
		return;
	if (asking->epoch != group->at.view.control->epoch) {
		asking->epoch = group->at.view.control->epoch;
		asking->published = loop_now();
	}
	asked_member_refresh(group);
	if (asking->settles && !asking->unpublished && asked_settle_wait(group) &&
	    asked_settle_count(group)) {
		asking->settles = false;
		asked_settle_workers(group);
	}
	asked_settle_flows(group);
}
