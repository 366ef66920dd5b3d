// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* reuseport_drain() and reuseport_undrain(): whether a worker gets new work. */
#include "api/worker_ops.h"
#include "opts.h"
#include "state/generation.h"

static int worker_drain_op(const struct reuseport_drain_opts *from, struct worker_op *op,
			   struct reuseport_error *err)
{
	struct reuseport_drain_opts opts = { .sz = sizeof(opts) };
	int ret = opts_copy(&opts, from, err);

	*op = (struct worker_op){ "drain a worker", worker_ops_set_state,
				  opts.release ? WORKER_LEAVING : WORKER_DRAINING, !opts.force };
	return ret;
}

int reuseport_drain(const struct reuseport_filter *filter, const char *worker,
		    const struct reuseport_drain_opts *opts, struct reuseport_error *err)
{
	struct worker_op op;
	int ret = worker_drain_op(opts, &op, err);

	if (!ret)
		ret = worker_ops_required(worker, err);
	return ret ? ret : worker_ops_run(filter, worker, &op, err);
}

int reuseport_group__drain(struct reuseport_group *group, int fd,
			   const struct reuseport_drain_opts *opts, struct reuseport_error *err)
{
	struct worker_op op;
	int ret = worker_drain_op(opts, &op, err);

	if (!ret)
		ret = worker_ops_required(fd >= 0, err);
	return ret ? ret : worker_ops_run_own(group, fd, &op, err);
}

/* Undrain a worker, also one of a generation that a rollout has left behind. */
static bool worker_undrain(struct worker_entry *entry, const struct generations *g,
			   unsigned int value)
{
	if (generation_state(g, entry) < WORKER_DRAINING)
		return false;
	entry->generation = g->serving;
	return worker_ops_set_state(entry, g, value);
}

/* Undrain all that were drained one by one: what a rollout has left behind stays so. */
static bool worker_undrain_drained(struct worker_entry *entry, const struct generations *g,
				   unsigned int value)
{
	return entry->state >= WORKER_DRAINING && worker_ops_set_state(entry, g, value);
}

static const struct worker_op undrain_op = { "undrain a worker", worker_undrain, WORKER_ACTIVE,
					     false };
static const struct worker_op undrain_all_op = { "undrain workers", worker_undrain_drained,
						 WORKER_ACTIVE, false };

int reuseport_undrain(const struct reuseport_filter *filter, const char *worker,
		      struct reuseport_error *err)
{
	return worker_ops_run(filter, worker, worker ? &undrain_op : &undrain_all_op, err);
}

int reuseport_group__undrain(struct reuseport_group *group, int fd, struct reuseport_error *err)
{
	return worker_ops_run_own(group, fd, fd < 0 ? &undrain_all_op : &undrain_op, err);
}
