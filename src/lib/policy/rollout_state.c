// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* Rollout state: the steps of a rollout, from one state of the generations to the next.
 * Pure. */
#include <errno.h>

#include "error.h"
#include "policy/rollout_state.h"

struct rollout {
	const char *text;  /* names the group */
	unsigned int able; /* workers of generation "other" that could serve */
};

static int begin(const struct rollout *at, struct generations *g, struct reuseport_error *err)
{
	if (g->phase != ROLLOUT_NONE)
		return fail(err, EALREADY,
			    "%s: a rollout to generation %u has begun already: "
			    "%s, or abort it",
			    at->text, g->latest,
			    g->phase == ROLLOUT_BEGUN ? "switch to it" : "finish it");
	g->other = ++g->latest;
	g->phase = ROLLOUT_BEGUN;
	return 0;
}

static int not_begun(const struct rollout *at, struct reuseport_error *err)
{
	return fail(err, EINVAL, "%s: no rollout has begun: begin one first", at->text);
}

static int switch_over(const struct rollout *at, struct generations *g, struct reuseport_error *err)
{
	uint32_t serving = g->serving;

	if (g->phase == ROLLOUT_NONE)
		return not_begun(at, err);
	/* No old worker is left to switch from: the keeper may have switched. */
	if (g->phase == ROLLOUT_SWITCHED && !at->able)
		return 0;
	if (g->phase == ROLLOUT_SWITCHED)
		return fail(err, EALREADY,
			    "%s: the rollout has switched to generation %u already: "
			    "finish or abort it",
			    at->text, g->serving);
	if (!at->able)
		return fail(err, ECHILD,
			    "%s: no worker of generation %u has joined yet: start the "
			    "new workers first",
			    at->text, g->other);
	g->serving = g->other;
	g->other = serving;
	g->phase = ROLLOUT_SWITCHED;
	return 0;
}

static int finish(const struct rollout *at, struct generations *g, struct reuseport_error *err)
{
	if (g->phase == ROLLOUT_NONE)
		return not_begun(at, err);
	if (g->phase == ROLLOUT_BEGUN)
		return fail(err, EINVAL,
			    "%s: generation %u has not been switched to yet: switch to it "
			    "first, or abort the rollout",
			    at->text, g->other);
	g->other = 0;
	g->phase = ROLLOUT_NONE;
	return 0;
}

static int abort_it(const struct rollout *at, struct generations *g, struct reuseport_error *err)
{
	if (g->phase == ROLLOUT_NONE)
		return not_begun(at, err);
	if (g->phase == ROLLOUT_SWITCHED && !at->able)
		return fail(err, ECHILD, "%s: no worker of generation %u is left to return to",
			    at->text, g->other);
	if (g->phase == ROLLOUT_SWITCHED)
		g->serving = g->other;
	g->other = 0;
	g->phase = ROLLOUT_NONE;
	return 0;
}

bool rollout_state_overtake(struct generations *g, unsigned int left, unsigned int able)
{
	uint32_t serving = g->serving;

	if (g->phase != ROLLOUT_BEGUN || left || !able)
		return false;
	g->serving = g->other;
	g->other = serving;
	g->phase = ROLLOUT_SWITCHED;
	return true;
}

int rollout_state_step(struct generations *g, enum reuseport_rollout_step step, unsigned int able,
		       const char *text, struct reuseport_error *err)
{
	const struct rollout rollout = { .text = text, .able = able }, *at = &rollout;

	switch (step) {
	case REUSEPORT_ROLLOUT_BEGIN:
		return begin(at, g, err);
	case REUSEPORT_ROLLOUT_SWITCH:
		return switch_over(at, g, err);
	case REUSEPORT_ROLLOUT_FINISH:
		return finish(at, g, err);
	case REUSEPORT_ROLLOUT_ABORT:
		return abort_it(at, g, err);
	}
	return fail(err, EINVAL, "%u is not a step of a rollout", step);
}
