// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* Sets the weight of a worker, named by slot, pid or cookie. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "attachments.h"
#include "caps.h"
#include "change.h"
#include "error.h"
#include "policy.h"
#include "slots.h"
#include "worker.h"

/* Returns how many workers of the attachment the name fits. */
static int set_one(const struct attachment *one, const struct worker_name *name, unsigned int weight,
		   struct reuseport_error *err)
{
	int lock = change_lock(one->pin, CHANGE_WAIT_MS, err), ret = 0, count = 0;
	const struct mapped *mapped = &one->mapped;
	struct plan plan;

	if (lock < 0)
		return lock;
	for (unsigned int slot = 0; slot < mapped->size.slots; slot++) {
		if (!worker_matches(name, one, slot))
			continue;
		mapped->workers[slot].weight = weight;
		count++;
	}
	plan = *change_plan(mapped);
	if (count)
		ret = change_publish(mapped, one->steering.maps[MAP_SOCKETS], &plan, err);
	if (ret > 0)
		change_settle(mapped);
	close(lock);
	return ret < 0 ? ret : count;
}

int reuseport_set_weight(const struct reuseport_filter *filter, const char *worker,
			 unsigned int weight, struct reuseport_error *err)
{
	struct worker_name name;
	struct attachment *list;
	int ret, count = 0;
	size_t n;

	if (weight > WEIGHT_MAX)
		return fail(err, EINVAL, "weight %u is out of range: 0 to %u", weight, WEIGHT_MAX);
	ret = worker_parse(worker, &name, err);
	if (!ret)
		ret = caps_require("change a weight", err);
	if (!ret)
		ret = attachments_open(filter, &list, &n, err);
	if (ret)
		return ret;
	ret = worker_resolve(&name, list, n, err);
	if (ret == -ENOENT) {
		worker_refresh(list, n);
		ret = worker_resolve(&name, list, n, err);
	}
	for (size_t i = 0; ret >= 0 && i < n; i++) {
		ret = set_one(&list[i], &name, weight, err);
		count += ret;
	}
	attachments_close(list, n);
	return ret < 0 ? ret : count;
}
