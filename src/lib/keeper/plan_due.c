// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* Plan due: publish a plan when the workers have changed, beside the keeper's other work. */
#include <syslog.h>
#include <unistd.h>

#include "decide/chain.h"
#include "keeper/loop_time.h"
#include "keeper/plan_due.h"
#include "keeper/server_change.h"
#include "policy/rollout_state.h"
#include "state/ages.h"
#include "state/generation_count.h"
#include "state/plan_lock.h"
#include "state/publish.h"

#define AFFINITY (300 * MS)  /* of reading the workers' CPUs */
#define PLAN_RETRY (20 * MS) /* another process holds the plan lock */
#define PLAN_WAIT_MS 2
#define SYNCHRONIZE (50 * MS) /* after a plan was published */

static bool plan_due_follows_affinity(const struct reuseport_group *group)
{
	const struct plan *plan = plan_in_use(&group->at.view);

	return chain_by_place(plan->policy) && !(plan->flags & PLAN_GIVEN_CPUS);
}

/* Return whether to publish later, because there was no time for all that join or leave:
 * publishing for each few of them would take longer than they do. */
static bool plan_due_later(struct reuseport_group *group)
{
	uint64_t now = loop_now();

	if (!group->loop.more) {
		group->loop.publish_by = 0;
		return false;
	}
	if (!group->loop.publish_by)
		group->loop.publish_by = now + PLAN_RETRY;
	if (now >= group->loop.publish_by)
		return false;
	group->loop.plan_due = true;
	group->loop.plan_at = now;
	return true;
}

/* Publish, and switch a rollout whose old workers have all gone. */
static int plan_due_publish_locked(struct reuseport_group *group, struct reuseport_error *err)
{
	const struct attachment *at = &group->at;
	struct plan_spec want = plan_spec_in_use(at);
	const struct generations before = want.generations;
	bool switches = before.phase == ROLLOUT_BEGUN &&
			rollout_state_overtake(&want.generations,
					       generation_count(at, before.serving, false),
					       generation_count(at, before.other, true));
	int ret = publish_plan(at, &want, err);

	if (ret < 0 || !switches)
		return ret;
	ages_begin_phase(&at->view, &before);
	map_view_store(&at->view);
	handle_log(group, LOG_NOTICE,
		   "%s: no worker of generation %u is left: the rollout has switched to generation "
		   "%u",
		   at->text, before.serving, want.generations.serving);
	return ret;
}

/* Return whether there may be something to publish. A look that finds nothing is cheaper. */
static bool plan_due_is(struct reuseport_group *group)
{
	bool asked = group->changes || group->loop.plan_due;

	if (!asked && loop_now() < group->loop.plan_at)
		return false;
	if (asked || !group->loop.looks) {
		/* What is published is not what was seen last. */
		group->loop.cpus = 0;
		return true;
	}
	group->loop.plan_at = loop_now() + AFFINITY;
	return server_change_look(group);
}

/* A plan was published. Only if the CPUs are as they were before, it is surely by these. */
static void plan_due_note_cpus(struct reuseport_group *group)
{
	uint64_t before = group->loop.cpus;

	server_change_look(group);
	if (group->loop.cpus != before)
		group->loop.cpus = 0;
}

bool plan_due_is_pending(const struct reuseport_group *group)
{
	return group->loop.plan_due || (group->loop.plan_at != NEVER && !group->loop.looks);
}

void plan_due_publish(struct reuseport_group *group)
{
	struct reuseport_error error = { 0 };
	int lock, ret;

	if (!plan_due_is(group))
		return;
	if (plan_due_later(group))
		return;
	group->loop.plan_due = group->loop.looks = false;
	group->loop.plan_at = loop_now() + PLAN_RETRY;
	lock = plan_lock(&group->at, PLAN_WAIT_MS, &error);
	if (lock < 0)
		return;
	ret = plan_due_publish_locked(group, &error);
	close(lock);
	if (ret < 0)
		handle_log(group, LOG_ERR, "%s: %s", group->at.text, error.text);
	if (ret > 0)
		group->loop.synchronize_at = loop_now() + SYNCHRONIZE;
	if (ret >= 0) {
		group->loop.plan_at = NEVER;
		group->loop.asking.unpublished = false;
	}
	if (ret >= 0 && plan_due_follows_affinity(group)) {
		plan_due_note_cpus(group);
		group->loop.plan_at = loop_now() + AFFINITY;
		group->loop.looks = true;
	}
}

void plan_due_synchronize(struct reuseport_group *group)
{
	int lock;

	if (group->loop.n_pending || group->loop.joining || owner_search_runs(&group->search) ||
	    loop_now() < group->loop.synchronize_at)
		return;
	group->loop.synchronize_at = loop_now() + SYNCHRONIZE;
	lock = plan_lock(&group->at, 0, NULL);
	if (lock < 0)
		return;
	publish_synchronize(&group->at, false);
	close(lock);
	group->loop.synchronize_at = NEVER;
}
