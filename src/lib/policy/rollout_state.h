/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* Rollout state: the steps of a rollout, from one state of the generations to the next.
 * Pure. */
#ifndef POLICY_ROLLOUT_STATE_H
#define POLICY_ROLLOUT_STATE_H

#include "abi.h"
#include "reuseport_bpf.h"

/*
 * Take one step. "able" is the number of workers of generation g->other that would
 * receive work if it served; text names the group in messages. On failure g is
 * unchanged. Return 0, -EALREADY, -EINVAL or -ECHILD: see reuseport_rollout().
 */
int rollout_state_step(struct generations *g, enum reuseport_rollout_step step, unsigned int able,
		       const char *text, struct reuseport_error *err);

/*
 * Switch a rollout that has begun if a server has restarted whole: no worker of the generation that
 * serves is left, and those of the other would wait for ever. "left" and "able" are the numbers of
 * workers of the one, and of those of the other that would receive work. Return whether it did.
 */
bool rollout_state_overtake(struct generations *g, unsigned int left, unsigned int able);

#endif
