/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* The policy of a plan, as words. */
#ifndef POLICY_POLICY_INFO_H
#define POLICY_POLICY_INFO_H

#include "abi.h"
#include "reuseport_bpf.h"

/* Fill all but table_entries and plans, which are not in the plan. */
void policy_info_of_plan(struct reuseport_policy_info *info, const struct plan *plan);

#endif
