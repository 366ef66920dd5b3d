// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* Operations on workers: what weight, drain and admit have in common. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "api/worker_ops.h"
#include "api/worker_selector.h"
#include "error.h"
#include "host/caps.h"
#include "keeper/handle.h"
#include "keeper/handle_owner.h"
#include "keeper/refresh_unkept.h"
#include "state/ages.h"
#include "state/attachment.h"
#include "state/generation.h"
#include "state/plan_lock.h"
#include "state/publish.h"
#include "state/sockopt_members.h"

/* Apply it to one worker. Return whether it is for it. */
static bool worker_ops_apply_to(const struct map_view *view, unsigned int slot,
				const struct worker_op *op)
{
	const struct generations *g = generations_in_use(view);
	struct worker_entry *entry = &view->workers[slot];
	enum worker_state before = generation_state(g, entry);
	bool is = op->apply(entry, g, op->value);

	if (generation_state(g, entry) != before)
		ages_begin_state(view, slot);
	return is;
}

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
			count += worker_ops_apply_to(view, slot, op);
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

/* -------------------------------------------------------------- the last ones */

static bool worker_ops_gets_work(const struct attachment *at, unsigned int slot)
{
	const struct worker_entry *entry = &at->view.workers[slot];

	return attachment_has_worker(at, slot) && entry->weight &&
	       generation_state(generations_in_use(&at->view), entry) == WORKER_ACTIVE;
}

/* Write who the selected workers are: "slot 0 pid 12 (nginx), ...". */
static void worker_ops_write_selected(const struct attachment *at,
				      const struct worker_selector *selector, char text[160])
{
	size_t len = 0;

	text[0] = '\0';
	for (unsigned int slot = 0; slot < at->entry.slots; slot++) {
		const struct worker_entry *entry = &at->view.workers[slot];

		if (!worker_selector_matches(selector, at, slot))
			continue;
		if (len > 100) {
			snprintf(text + len, 160 - len, ", ...");
			return;
		}
		len += snprintf(text + len, 160 - len, "%sslot %u pid %u (%.15s)", len ? ", " : "",
				slot, worker_selector_pid(selector, entry), entry->comm);
	}
}

/* Refuse what would leave no worker of the group, if there are more workers selected than names. */
static int worker_ops_spare_one(const struct attachment *at, const struct worker_selector *selector,
				struct reuseport_error *err)
{
	size_t selected = 0, left = 0, got = 0;
	char text[160];

	for (unsigned int slot = 0; slot < at->entry.slots; slot++) {
		bool is = worker_selector_matches(selector, at, slot);
		bool gets = worker_ops_gets_work(at, slot);

		selected += is;
		got += gets;
		left += gets && !is;
	}
	if (selected <= selector->names.n || left || !got)
		return 0;
	worker_ops_write_selected(at, selector, text);
	return fail(err, EEXIST,
		    "%.64s means %zu workers of %s, and no other may get new work: %s: nothing was "
		    "changed; name one of them, or force the drain",
		    selector->names.names[0].given, selected, at->text, text);
}

static int worker_ops_spare(const struct attachment *list, size_t n,
			    const struct worker_selector *selector, const struct worker_op *op,
			    struct reuseport_error *err)
{
	int ret = 0;

	for (size_t i = 0; op->spares && !ret && i < n; i++)
		ret = worker_ops_spare_one(&list[i], selector, err);
	return ret;
}

int worker_ops_run(const struct reuseport_filter *filter, const char *worker,
		   const struct worker_op *op, struct reuseport_error *err)
{
	struct worker_selector selector;
	struct attachment *list;
	size_t n;
	int ret = worker_selector_parse(worker, &selector, err);

	if (ret)
		return ret;
	ret = caps_require(op->what, err);
	if (!ret)
		ret = refresh_unkept(filter, err);
	if (!ret)
		ret = attachment_open_to_change(filter, &list, &n, err);
	if (ret) {
		worker_selector_free(&selector);
		return ret;
	}
	ret = worker_selector_find(&selector, list, n, err);
	if (ret == -ENOENT)
		ret = worker_selector_unreached(&selector, list, n, err);
	if (!ret)
		ret = worker_ops_spare(list, n, &selector, op, err);
	if (!ret)
		ret = worker_ops_apply_all(list, n, &selector, op, err);
	for (size_t i = 0; ret > 0 && i < n; i++)
		sockopt_members_follow(&list[i]);
	worker_selector_free(&selector);
	attachment_close_all(list, n);
	return ret;
}

int worker_ops_run_own(struct reuseport_group *group, int fd, const struct worker_op *op,
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

int worker_ops_required(bool given, struct reuseport_error *err)
{
	return given ? 0 : fail(err, EINVAL, "no worker is named");
}

bool worker_ops_set_state(struct worker_entry *entry, const struct generations *g,
			  unsigned int state)
{
	(void)g;
	__atomic_store_n(&entry->state, state, __ATOMIC_RELEASE);
	return true;
}
