// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* reuseport_rollout(): move new work from one generation of workers to the next, or back. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "api/unreached.h"
#include "error.h"
#include "host/caps.h"
#include "keeper/handle.h"
#include "keeper/handle_owner.h"
#include "keeper/refresh_unkept.h"
#include "policy/rollout_state.h"
#include "state/ages.h"
#include "state/attachment.h"
#include "state/generation.h"
#include "state/generation_count.h"
#include "state/plan_lock.h"
#include "state/publish.h"
#include "state/sockopt_members.h"

/* No worker can be switched to. That new ones were started and have no slot is another reason than
 * that none was. */
static int rollout_no_worker(const struct attachment *at, uint32_t generation,
			     struct reuseport_error *err)
{
	struct unreached found;
	char why[LEFT_OUT_TEXT];

	unreached_find(at, NULL, &found);
	if (!found.n)
		return -ECHILD;
	left_out_text(&found.why, why);
	return fail(err, ECHILD,
		    "%s: generation %u has no worker with a slot: start the new workers first; %zu "
		    "member%s cannot have one: %s",
		    at->text, generation, found.n, found.n == 1 ? "" : "s", why);
}

static int rollout_take_step(const struct attachment *at, enum reuseport_rollout_step step,
			     struct generations *g, struct reuseport_error *err)
{
	int ret = rollout_state_step(g, step, generation_count(at, g->other, true), at->text, err);

	return ret == -ECHILD && step == REUSEPORT_ROLLOUT_SWITCH && err ?
		       rollout_no_worker(at, g->other, err) :
		       ret;
}

static int rollout_one(const struct attachment *at, enum reuseport_rollout_step step,
		       struct reuseport_error *err)
{
	struct plan_spec want = plan_spec_in_use(at);
	const struct generations before = want.generations;
	int ret = rollout_take_step(at, step, &want.generations, err);

	if (!ret)
		ret = publish_plan(at, &want, err);
	if (ret < 0)
		return ret;
	ages_begin_phase(&at->view, &before);
	map_view_store(&at->view);
	publish_synchronize(at, true);
	return 0;
}

/* Take the step in all of them, whose locks are held. It is tried without publishing
 * first, so that a refusal by one of them changes none. */
static int rollout_all(const struct attachment *list, size_t n, enum reuseport_rollout_step step,
		       struct reuseport_error *err)
{
	int ret = 0;

	for (size_t i = 0; !ret && i < n; i++) {
		struct generations g = *generations_in_use(&list[i].view);

		ret = rollout_take_step(&list[i], step, &g, err);
	}
	for (size_t i = 0; !ret && i < n; i++)
		ret = rollout_one(&list[i], step, err);
	return ret;
}

static int rollout_locked(const struct attachment *list, size_t n, enum reuseport_rollout_step step,
			  struct reuseport_error *err)
{
	int *locks, ret = plan_lock_all(list, n, &locks, err);

	if (ret)
		return ret;
	ret = rollout_all(list, n, step, err);
	plan_unlock_all(locks, n);
	return ret;
}

int reuseport_rollout(const struct reuseport_filter *filter, enum reuseport_rollout_step step,
		      struct reuseport_error *err)
{
	struct attachment *list;
	size_t n;
	int ret;

	ret = caps_require("roll out a generation", err);
	if (!ret)
		ret = refresh_unkept(filter, err);
	if (!ret)
		ret = attachment_open_to_change(filter, &list, &n, err);
	if (ret)
		return ret;
	ret = rollout_locked(list, n, step, err);
	for (size_t i = 0; !ret && i < n; i++)
		sockopt_members_follow(&list[i]);
	attachment_close_all(list, n);
	return ret ? ret : (int)n;
}

int reuseport_group__rollout(struct reuseport_group *group, enum reuseport_rollout_step step,
			     struct reuseport_error *err)
{
	int ret = handle_owner_check(group, err);

	if (!ret)
		ret = rollout_locked(&group->at, 1, step, err);
	return ret ? ret : 1;
}
