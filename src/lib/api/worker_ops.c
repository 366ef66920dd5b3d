// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* Changes of one worker, named by slot, pid or cookie: weight, drain, admit. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "api/worker_selector.h"
#include "error.h"
#include "host/caps.h"
#include "keeper/refresh_unkept.h"
#include "policy/policy.h"
#include "state/attachment.h"
#include "state/generation.h"
#include "state/plan_lock.h"
#include "state/publish.h"

/* What is to be done with a worker. Returns whether it applies to it. */
struct order {
	const char *what; /* "may not WHAT: ..." */
	bool (*apply)(struct worker_entry *entry, const struct generations *g, unsigned int value);
	unsigned int value;
};

/* Returns how many workers of the attachment it applied to. */
static int worker_ops_apply_one(const struct attachment *at, const struct worker_selector *name,
				const struct order *order, struct reuseport_error *err)
{
	const struct map_view *view = &at->view;
	int lock = plan_lock(at, PLAN_LOCK_WAIT_MS, err), ret = 0, count = 0;

	if (lock < 0)
		return lock;
	for (unsigned int slot = 0; slot < view->size.slots; slot++)
		if (name ? worker_selector_matches(name, at, slot) :
			   attachment_has_worker(at, slot))
			count += order->apply(&view->workers[slot], generations_in_use(view),
					      order->value);
	map_view_store(view);
	if (count)
		ret = publish_workers(at, err);
	/* What goes by a worker's state alone, as sticky flows do, is over as well. */
	if (count && ret >= 0)
		publish_synchronize(at, ret || view->size.flows);
	close(lock);
	return ret < 0 ? ret : count;
}

/* Those that the name fits, or all if there is none. */
static int worker_ops_apply_all(const struct attachment *list, size_t n,
				const struct worker_selector *name, const struct order *order,
				struct reuseport_error *err)
{
	int ret = 0, count = 0;

	for (size_t i = 0; ret >= 0 && i < n; i++) {
		ret = worker_ops_apply_one(&list[i], name, order, err);
		count += ret;
	}
	return ret < 0 ? ret : count;
}

static int worker_ops_run(const struct reuseport_filter *filter, const char *worker,
			  const struct order *order, struct reuseport_error *err)
{
	struct worker_selector name;
	struct attachment *list;
	size_t n;
	int ret = worker ? worker_selector_parse(worker, &name, err) : 0;

	if (!ret)
		ret = caps_require(order->what, err);
	if (!ret) {
		refresh_unkept(filter);
		ret = attachment_open_all(filter, &list, &n, err);
	}
	if (ret)
		return ret;
	if (worker)
		ret = worker_selector_find(&name, list, n, err);
	if (!ret)
		ret = worker_ops_apply_all(list, n, worker ? &name : NULL, order, err);
	attachment_close_all(list, n);
	return ret;
}

/* ----------------------------------------------------------------- the orders */

static bool worker_set_weight(struct worker_entry *entry, const struct generations *g,
			      unsigned int weight)
{
	(void)g;
	entry->weight = weight;
	return true;
}

int reuseport_set_weight(const struct reuseport_filter *filter, const char *worker,
			 unsigned int weight, struct reuseport_error *err)
{
	const struct order order = { "change a weight", worker_set_weight, weight };

	if (weight > REUSEPORT_WEIGHT_MAX)
		return fail(err, EINVAL, "weight %u is out of range: 0 to %u", weight,
			    REUSEPORT_WEIGHT_MAX);
	return worker_ops_run(filter, worker, &order, err);
}

static bool worker_set_state(struct worker_entry *entry, const struct generations *g,
			     unsigned int state)
{
	(void)g;
	__atomic_store_n(&entry->state, state, __ATOMIC_RELEASE);
	return true;
}

int reuseport_drain(const struct reuseport_filter *filter, const char *worker, bool release,
		    struct reuseport_error *err)
{
	const struct order order = { "drain a worker", worker_set_state,
				     release ? WORKER_LEAVING : WORKER_DRAINING };

	return worker_ops_run(filter, worker, &order, err);
}

/* Also of a generation that a rollout has left behind. */
static bool worker_undrain(struct worker_entry *entry, const struct generations *g,
			   unsigned int value)
{
	if (generation_state(g, entry) < WORKER_DRAINING)
		return false;
	entry->generation = g->serving;
	return worker_set_state(entry, g, value);
}

int reuseport_undrain(const struct reuseport_filter *filter, const char *worker,
		      struct reuseport_error *err)
{
	const struct order order = { "take back a worker", worker_undrain, WORKER_ACTIVE };

	return worker_ops_run(filter, worker, &order, err);
}

static bool worker_admit(struct worker_entry *entry, const struct generations *g,
			 unsigned int value)
{
	return entry->state == WORKER_JOINING && worker_set_state(entry, g, value);
}

int reuseport_admit(const struct reuseport_filter *filter, const char *worker,
		    struct reuseport_error *err)
{
	const struct order order = { "admit a worker", worker_admit, WORKER_ACTIVE };

	return worker_ops_run(filter, worker, &order, err);
}
