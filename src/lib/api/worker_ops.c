// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* Operations on workers: weight, drain, undrain, admit. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "api/worker_selector.h"
#include "error.h"
#include "host/caps.h"
#include "keeper/handle.h"
#include "keeper/handle_owner.h"
#include "keeper/refresh_unkept.h"
#include "opts.h"
#include "policy/policy.h"
#include "state/attachment.h"
#include "state/generation.h"
#include "state/plan_lock.h"
#include "state/publish.h"

struct worker_op {
	const char *what; /* "may not WHAT: ..." */
	/* Change the worker's entry. Return false if the operation is not for it. */
	bool (*apply)(struct worker_entry *entry, const struct generations *g, unsigned int value);
	unsigned int value;
};

/* Apply it to the selected workers of one attachment. Return their number. */
static int worker_ops_apply_one(const struct attachment *at, const struct worker_selector *selector,
				const struct worker_op *op, struct reuseport_error *err)
{
	const struct map_view *view = &at->view;
	int lock = plan_lock(at, PLAN_LOCK_WAIT_MS, err), ret = 0, count = 0;

	if (lock < 0)
		return lock;
	for (unsigned int slot = 0; slot < view->size.slots; slot++)
		if (worker_selector_matches(selector, at, slot))
			count += op->apply(&view->workers[slot], generations_in_use(view),
					   op->value);
	map_view_store(view);
	if (count)
		ret = publish_workers(at, err);
	/* Sticky flows go by the worker's state alone, so wait without a new plan too. */
	if (count && ret >= 0)
		publish_synchronize(at, ret || view->size.flows);
	close(lock);
	return ret < 0 ? ret : count;
}

static int worker_ops_apply_all(const struct attachment *list, size_t n,
				const struct worker_selector *selector, const struct worker_op *op,
				struct reuseport_error *err)
{
	int ret = 0, count = 0;

	for (size_t i = 0; ret >= 0 && i < n; i++) {
		ret = worker_ops_apply_one(&list[i], selector, op, err);
		count += ret;
	}
	return ret < 0 ? ret : count;
}

static int worker_ops_run(const struct reuseport_filter *filter, const char *worker,
			  const struct worker_op *op, struct reuseport_error *err)
{
	struct worker_selector selector;
	struct attachment *list;
	size_t n;
	int ret = worker_selector_parse(worker, &selector, err);

	if (!ret)
		ret = caps_require(op->what, err);
	if (!ret) {
		refresh_unkept(filter);
		ret = attachment_open_all(filter, &list, &n, err);
	}
	if (ret)
		return ret;
	ret = worker_selector_find(&selector, list, n, err);
	if (!ret)
		ret = worker_ops_apply_all(list, n, &selector, op, err);
	worker_selector_free(&selector);
	attachment_close_all(list, n);
	return ret;
}

/* The same in the attachment that this process keeps. */
static int worker_ops_run_own(struct reuseport_group *group, int fd, const struct worker_op *op,
			      struct reuseport_error *err)
{
	struct worker_selector selector;
	int ret = handle_owner_check(group, err);

	if (!ret)
		ret = worker_selector_of_fd(fd, &selector, err);
	if (ret)
		return ret;
	ret = worker_selector_find(&selector, &group->at, 1, err);
	if (!ret)
		ret = worker_ops_apply_one(&group->at, &selector, op, err);
	worker_selector_free(&selector);
	return ret;
}

/* ----------------------------------------------------------------- the operations */

static bool worker_set_weight(struct worker_entry *entry, const struct generations *g,
			      unsigned int weight)
{
	(void)g;
	entry->weight = weight;
	return true;
}

static int worker_weight_op(unsigned int weight, struct worker_op *op, struct reuseport_error *err)
{
	*op = (struct worker_op){ "change a weight", worker_set_weight, weight };
	if (weight > REUSEPORT_WEIGHT_MAX)
		return fail(err, EINVAL, "weight %u is out of range: 0 to %u", weight,
			    REUSEPORT_WEIGHT_MAX);
	return 0;
}

/* To weigh or drain every worker is never meant. */
static int worker_required(bool given, struct reuseport_error *err)
{
	return given ? 0 : fail(err, EINVAL, "no worker is named");
}

int reuseport_set_weight(const struct reuseport_filter *filter, const char *worker,
			 unsigned int weight, struct reuseport_error *err)
{
	struct worker_op op;
	int ret = worker_weight_op(weight, &op, err);

	if (!ret)
		ret = worker_required(worker, err);
	return ret ? ret : worker_ops_run(filter, worker, &op, err);
}

int reuseport_group__set_weight(struct reuseport_group *group, int fd, unsigned int weight,
				struct reuseport_error *err)
{
	struct worker_op op;
	int ret = worker_weight_op(weight, &op, err);

	if (!ret)
		ret = worker_required(fd >= 0, err);
	return ret ? ret : worker_ops_run_own(group, fd, &op, err);
}

static bool worker_set_state(struct worker_entry *entry, const struct generations *g,
			     unsigned int state)
{
	(void)g;
	__atomic_store_n(&entry->state, state, __ATOMIC_RELEASE);
	return true;
}

static int worker_drain_op(const struct reuseport_drain_opts *from, struct worker_op *op,
			   struct reuseport_error *err)
{
	struct reuseport_drain_opts opts = { .sz = sizeof(opts) };
	int ret = opts_copy(&opts, from, err);

	*op = (struct worker_op){ "drain a worker", worker_set_state,
				  opts.release ? WORKER_LEAVING : WORKER_DRAINING };
	return ret;
}

int reuseport_drain(const struct reuseport_filter *filter, const char *worker,
		    const struct reuseport_drain_opts *opts, struct reuseport_error *err)
{
	struct worker_op op;
	int ret = worker_drain_op(opts, &op, err);

	if (!ret)
		ret = worker_required(worker, err);
	return ret ? ret : worker_ops_run(filter, worker, &op, err);
}

int reuseport_group__drain(struct reuseport_group *group, int fd,
			   const struct reuseport_drain_opts *opts, struct reuseport_error *err)
{
	struct worker_op op;
	int ret = worker_drain_op(opts, &op, err);

	if (!ret)
		ret = worker_required(fd >= 0, err);
	return ret ? ret : worker_ops_run_own(group, fd, &op, err);
}

/* Undrain a worker, also one of a generation that a rollout has left behind. */
static bool worker_undrain(struct worker_entry *entry, const struct generations *g,
			   unsigned int value)
{
	if (generation_state(g, entry) < WORKER_DRAINING)
		return false;
	entry->generation = g->serving;
	return worker_set_state(entry, g, value);
}

static const struct worker_op undrain_op = { "undrain a worker", worker_undrain, WORKER_ACTIVE };

int reuseport_undrain(const struct reuseport_filter *filter, const char *worker,
		      struct reuseport_error *err)
{
	int ret = worker_required(worker, err);

	return ret ? ret : worker_ops_run(filter, worker, &undrain_op, err);
}

int reuseport_group__undrain(struct reuseport_group *group, int fd, struct reuseport_error *err)
{
	int ret = worker_required(fd >= 0, err);

	return ret ? ret : worker_ops_run_own(group, fd, &undrain_op, err);
}

static bool worker_admit(struct worker_entry *entry, const struct generations *g,
			 unsigned int value)
{
	return entry->state == WORKER_JOINING && worker_set_state(entry, g, value);
}

static const struct worker_op admit_op = { "admit a worker", worker_admit, WORKER_ACTIVE };

int reuseport_admit(const struct reuseport_filter *filter, const char *worker,
		    struct reuseport_error *err)
{
	return worker_ops_run(filter, worker, &admit_op, err);
}

int reuseport_group__admit(struct reuseport_group *group, int fd, struct reuseport_error *err)
{
	return worker_ops_run_own(group, fd, &admit_op, err);
}
