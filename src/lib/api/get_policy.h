/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* Rules: the policy in use, as words. */
#ifndef API_GET_POLICY_H
#define API_GET_POLICY_H

#include "state/steering_maps.h"

/* But for the room of the table and the count of plans. */
void rules_of_plan(struct reuseport_rules *rules, const struct plan *plan);

/* 0 or -errno. */
int rules_read(struct reuseport_rules *rules, const struct steering *steering,
	       const struct attachment_entry *entry);

#endif
