// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* reuseport_admit(): let a worker in that waits under manual admission. */
#include "api/worker_ops.h"

static bool worker_admit(struct worker_entry *entry, const struct generations *g,
			 unsigned int value)
{
	return entry->state == WORKER_JOINING && worker_ops_set_state(entry, g, value);
}

static const struct worker_op admit_op = { "admit a worker", worker_admit, WORKER_ACTIVE, false };

int reuseport_admit(const struct reuseport_filter *filter, const char *worker,
		    struct reuseport_error *err)
{
	return worker_ops_run(filter, worker, &admit_op, err);
}

int reuseport_group__admit(struct reuseport_group *group, int fd, struct reuseport_error *err)
{
	return worker_ops_run_own(group, fd, &admit_op, err);
}
