/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* Apply a policy to an attachment: choose by its options, compile, publish. */
#ifndef STATE_APPLY_POLICY_H
#define STATE_APPLY_POLICY_H

#include "state/attachment.h"

/* Return 0, or -ENOSPC if the plan's rows do not fit into the table. */
int apply_policy_check(const struct attachment *at, const struct plan *plan,
		       struct reuseport_error *err);

/*
 * Choose by the words, as policy_choose() does, and publish, as publish_plan() does.
 * Returns whether anything was changed; on failure nothing is. admit is "auto",
 * "manual", or NULL to leave it as it is.
 */
int apply_policy(const struct attachment *at, const struct reuseport_policy_opts *words,
		 const char *admit, struct reuseport_error *err);

#endif
