/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* The steps of a rollout: pure, from one state of the generations to the next. */
#ifndef POLICY_ROLLOUT_STATE_H
#define POLICY_ROLLOUT_STATE_H

#include "abi.h"
#include "reuseport_bpf.h"

/*
 * "able": how many workers of generation g->other would get work if it served;
 * text and port name the group in messages. On failure g stays as it is. Returns
 * 0, -EALREADY, -EINVAL or -ECHILD: see reuseport_rollout().
 */
int rollout_state_step(struct generations *g, enum reuseport_rollout step, unsigned int able,
		       const char *text, uint16_t port, struct reuseport_error *err);

#endif
