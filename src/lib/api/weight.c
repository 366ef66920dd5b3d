// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* reuseport_set_weight(): the weight of a worker. */
#include <errno.h>

#include "api/worker_ops.h"
#include "error.h"

static bool worker_set_weight(struct worker_entry *entry, const struct generations *g,
			      unsigned int weight)
{
	(void)g;
	entry->weight = weight;
	return true;
}

static int worker_weight_op(unsigned int weight, struct worker_op *op, struct reuseport_error *err)
{
	*op = (struct worker_op){ "change a weight", worker_set_weight, weight, false };
	if (weight > REUSEPORT_WEIGHT_MAX)
		return fail(err, EINVAL, "weight %u is out of range: 0 to %u", weight,
			    REUSEPORT_WEIGHT_MAX);
	return 0;
}

int reuseport_set_weight(const struct reuseport_filter *filter, const char *worker,
			 unsigned int weight, struct reuseport_error *err)
{
	struct worker_op op;
	int ret = worker_weight_op(weight, &op, err);

	if (!ret)
		ret = worker_ops_required(worker, err);
	return ret ? ret : worker_ops_run(filter, worker, &op, err);
}

int reuseport_group__set_weight(struct reuseport_group *group, int fd, unsigned int weight,
				struct reuseport_error *err)
{
	struct worker_op op;
	int ret = worker_weight_op(weight, &op, err);

	if (!ret)
		ret = worker_ops_required(fd >= 0, err);
	return ret ? ret : worker_ops_run_own(group, fd, &op, err);
}
