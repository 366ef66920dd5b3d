/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* Adopt: takes over an attachment whose keeper is gone. */
#ifndef KEEPER_ADOPT_H
#define KEEPER_ADOPT_H

#include "keeper/handle.h"
#include "sockets/sock_diag.h"

/*
 * With the lock held: same slots, same counters, and the policy that opts asks
 * for. -ENOENT: there is nothing to adopt, and what a killed attach or a
 * namespace that is gone left has been cleared away; steer anew.
 */
int adopt(struct reuseport_group *group, const struct sock_diag_list *members,
	  const struct reuseport_attach_opts *opts, struct reuseport_error *err);

#endif
