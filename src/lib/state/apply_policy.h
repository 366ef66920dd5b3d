/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* Applies a policy to an attachment: choose by the words, compile, publish. */
#ifndef STATE_APPLY_POLICY_H
#define STATE_APPLY_POLICY_H

#include "state/map_view.h"

/* Return 0, or -ENOSPC if the policy's rows do not fit into the table at all.
 * text names the group in messages. */
int apply_policy_check(const struct mapped *mapped, const struct plan *plan, const char *text,
		       struct reuseport_error *err);

/*
 * Chooses by the words, as policy_choose() does, and publishes. With the change
 * lock held, unless nobody else knows the maps yet. Returns whether anything
 * changed; nothing does on failure. admit is "auto", "manual", or NULL: as it is.
 * text names the group in messages.
 */
int apply_policy(const struct mapped *mapped, int sockets,
		 const struct reuseport_policy_opts *words, const char *admit, const char *text,
		 struct reuseport_error *err);

#endif
