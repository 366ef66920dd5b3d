// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* Rollout: new work goes from one generation of workers to the next, and back. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "attachments.h"
#include "caps.h"
#include "catch_up.h"
#include "change.h"
#include "error.h"
#include "generation.h"

/* Workers of a generation that would get work if it served. */
static unsigned int count_able(const struct attachment *one, uint32_t generation)
{
	unsigned int count = 0;

	for (unsigned int slot = 0; slot < one->entry.slots; slot++) {
		const struct worker_entry *entry = &one->mapped.workers[slot];

		count += entry->generation == generation && entry->state == WORKER_ACTIVE &&
			 entry->weight && attachment_has_worker(one, slot);
	}
	return count;
}

/* ------------------------------------------------------------------ the steps */

static int begin(const struct attachment *one, struct generations *g, struct reuseport_error *err)
{
	if (g->phase != ROLLOUT_NONE)
		return fail(err, EALREADY, "%s: a rollout to generation %u has begun already: "
			    "%s, or abort it", one->text, g->latest,
			    g->phase == ROLLOUT_BEGUN ? "switch to it" : "finish it");
	g->other = ++g->latest;
	g->phase = ROLLOUT_BEGUN;
	return 0;
}

static int not_begun(const struct attachment *one, struct reuseport_error *err)
{
	return fail(err, EINVAL, "%s: no rollout has begun: 'reuseportctl rollout --port %u begin' "
		    "comes first", one->text, one->key.port);
}

static int switch_over(const struct attachment *one, struct generations *g,
		       struct reuseport_error *err)
{
	uint32_t serving = g->serving;

	if (g->phase == ROLLOUT_NONE)
		return not_begun(one, err);
	if (g->phase == ROLLOUT_SWITCHED)
		return fail(err, EALREADY, "%s has been switched to generation %u already: finish "
			    "it, or abort", one->text, g->serving);
	if (!count_able(one, g->other))
		return fail(err, ECHILD, "%s: no worker of generation %u has joined yet: start the "
			    "new ones first; 'reuseportctl status' shows them", one->text, g->other);
	g->serving = g->other;
	g->other = serving;
	g->phase = ROLLOUT_SWITCHED;
	return 0;
}

static int finish(const struct attachment *one, struct generations *g, struct reuseport_error *err)
{
	if (g->phase == ROLLOUT_NONE)
		return not_begun(one, err);
	if (g->phase == ROLLOUT_BEGUN)
		return fail(err, EINVAL, "%s: generation %u waits still: switch to it first, or "
			    "abort", one->text, g->other);
	g->other = 0;
	g->phase = ROLLOUT_NONE;
	return 0;
}

static int abort_it(const struct attachment *one, struct generations *g, struct reuseport_error *err)
{
	if (g->phase == ROLLOUT_NONE)
		return not_begun(one, err);
	if (g->phase == ROLLOUT_SWITCHED && !count_able(one, g->other))
		return fail(err, ECHILD, "%s: no worker of generation %u is left to return to",
			    one->text, g->other);
	if (g->phase == ROLLOUT_SWITCHED)
		g->serving = g->other;
	g->other = 0;
	g->phase = ROLLOUT_NONE;
	return 0;
}

static int take_step(const struct attachment *one, enum reuseport_rollout step,
		     struct generations *g, struct reuseport_error *err)
{
	switch (step) {
	case REUSEPORT_ROLLOUT_BEGIN: return begin(one, g, err);
	case REUSEPORT_ROLLOUT_SWITCH: return switch_over(one, g, err);
	case REUSEPORT_ROLLOUT_FINISH: return finish(one, g, err);
	case REUSEPORT_ROLLOUT_ABORT: return abort_it(one, g, err);
	}
	return fail(err, EINVAL, "%u is no step of a rollout", step);
}

/* ------------------------------------------------------------------- together */

static int publish(const struct attachment *one, enum reuseport_rollout step,
		   struct reuseport_error *err)
{
	struct change want = change_present(&one->mapped);
	int ret = take_step(one, step, &want.generations, err);

	if (!ret)
		ret = change_publish(&one->mapped, one->steering.maps[MAP_SOCKETS], &want, err);
	if (ret >= 0)
		change_settle(&one->mapped, true);
	return ret < 0 ? ret : 0;
}

/* With all locked, so that each of them takes the step or, by what can be known
 * beforehand, none. */
static int publish_all(const struct attachment *list, size_t n, enum reuseport_rollout step,
		       struct reuseport_error *err)
{
	int ret = 0;

	for (size_t i = 0; !ret && i < n; i++) {
		struct generations g = *generations(&list[i].mapped);

		ret = take_step(&list[i], step, &g, err);
	}
	for (size_t i = 0; !ret && i < n; i++)
		ret = publish(&list[i], step, err);
	return ret;
}

int reuseport_rollout(const struct reuseport_filter *filter, enum reuseport_rollout step,
		      struct reuseport_error *err)
{
	struct attachment *list;
	int *locks, ret;
	size_t n;

	ret = caps_require("roll out a generation", err);
	if (!ret) {
		catch_up(filter);
		ret = attachments_open(filter, &list, &n, err);
	}
	if (ret)
		return ret;
	ret = attachments_lock(list, n, &locks, err);
	if (!ret) {
		ret = publish_all(list, n, step, err);
		attachments_unlock(locks, n);
	}
	attachments_close(list, n);
	return ret ? ret : (int)n;
}
