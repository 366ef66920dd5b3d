// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* Own watch: whether a group that its process keeps for itself has its program still. */
#include <errno.h>
#include <stdlib.h>

#include "keeper/loop_time.h"
#include "keeper/own_watch.h"
#include "keeper/own_watch_state.h"
#include "keeper/program_seen.h"

#define EVERY (1000 * MS)
#define PART 200 /* of the time: 0.5% */
#define LONGEST (30000 * MS)

static bool own_watch_is_for(const struct reuseport_group *group)
{
	return !group->shared && !group->passing && look_isolated();
}

static void own_watch_take(void *ctx, const void *record)
{
	struct reuseport_group *group = ctx;
	const struct program_answer *answer = record;
	struct own_watch *watch = group->loop.watch;

	watch->cost = answer->cost;
	program_seen_take(group, &watch->question.ask, answer, watch->asked_at);
}

static void own_watch_end_look(struct own_watch *watch, int ret)
{
	uint64_t pause;

	pause = (watch->cost + ASK_COST) * 1000 * PART;
	if (ret == -ETIMEDOUT)
		group_iter_note_hang();
	if (pause < EVERY)
		pause = EVERY;
	watch->at = loop_now() + (ret || pause > LONGEST ? LONGEST : pause);
	look_free(watch->look);
	watch->look = NULL;
}

static void own_watch_begin(struct reuseport_group *group, struct own_watch *watch)
{
	struct program_ask *ask = &watch->question.ask;
	uint64_t cookie = program_seen_member(group);
	int ret = 0;

	watch->at = loop_now() + EVERY;
	if (!cookie)
		return;
	/* This kernel may have no iterators. */
	if (handle_open_reader(group, NULL) || !group->reader)
		ret = -EOPNOTSUPP;
	watch->asked_at = loop_now();
	watch->question.reader = group->reader;
	ask->ns = group->ns;
	ask->cookies[0] = cookie;
	ask->n = 1;
	if (!ret)
		ret = program_ask(&watch->question, own_watch_take, group, &watch->look);
	if (ret)
		own_watch_end_look(watch, ret);
}

void own_watch_step(struct reuseport_group *group)
{
	struct own_watch *watch;
	int ret;

	if (!own_watch_is_for(group))
		return;
	if (!group->loop.watch) {
		group->loop.watch = calloc(1, sizeof(*group->loop.watch));
		if (!group->loop.watch)
			return;
		group->loop.watch->at = loop_now() + EVERY;
	}
	watch = group->loop.watch;
	if (watch->look && look_step(watch->look, &ret))
		own_watch_end_look(watch, ret);
	if (!watch->look && loop_now() >= watch->at)
		own_watch_begin(group, watch);
}
