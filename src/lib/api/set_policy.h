/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* Sets the policy of an attachment. */
#ifndef API_SET_POLICY_H
#define API_SET_POLICY_H

#include "state/map_view.h"

/*
 * Chooses by the words, as policy_choose() does, and publishes. With the change
 * lock held, unless nobody else knows the maps yet. Returns whether anything
 * changed; nothing does on failure. admit is "auto", "manual", or NULL: as it is.
 * text names the group in messages.
 */
int set_policy(const struct mapped *mapped, int sockets, const struct reuseport_policy_opts *words,
	       const char *admit, const char *text, struct reuseport_error *err);

#endif
