/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* Adopt: takes over an attachment whose keeper is gone. */
#ifndef LIB_ADOPT_H
#define LIB_ADOPT_H

#include "diag.h"
#include "group.h"

/*
 * With the lock held: same slots, same counters, and the policy that opts asks
 * for. -ENOENT: there is nothing to adopt, and what a killed attach or a
 * namespace that is gone left has been cleared away; steer anew.
 */
int adopt(struct reuseport_group *group, const struct diag_list *members,
	  const struct reuseport_attach_opts *opts, struct reuseport_error *err);

#endif
