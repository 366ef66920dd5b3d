// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* Rollout: new work goes from one generation of workers to the next, and back. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "error.h"
#include "host/caps.h"
#include "keeper/refresh_unkept.h"
#include "policy/rollout_state.h"
#include "state/attachment.h"
#include "state/generation.h"
#include "state/publish.h"

/* Workers of a generation that would get work if it served. */
static unsigned int count_able(const struct attachment *one, uint32_t generation)
{
	unsigned int count = 0;

	for (unsigned int slot = 0; slot < one->entry.slots; slot++) {
		const struct worker_entry *entry = &one->mapped.workers[slot];

		count += entry->generation == generation && entry->state == WORKER_ACTIVE &&
			 entry->weight && attachment_has_worker(one, slot);
	}
	return count;
}

static int take_step(const struct attachment *one, enum reuseport_rollout step,
		     struct generations *g, struct reuseport_error *err)
{
	return rollout_state_step(g, step, count_able(one, g->other), one->text, one->key.port,
				  err);
}

/* ------------------------------------------------------------------- together */

static int publish(const struct attachment *one, enum reuseport_rollout step,
		   struct reuseport_error *err)
{
	struct change want = change_present(&one->mapped);
	int ret = take_step(one, step, &want.generations, err);

	if (!ret)
		ret = change_publish(&one->mapped, one->steering.maps[MAP_SOCKETS], &want, err);
	if (ret >= 0)
		change_settle(&one->mapped, true);
	return ret < 0 ? ret : 0;
}

/* With all locked, so that each of them takes the step or, by what can be known
 * beforehand, none. */
static int publish_all(const struct attachment *list, size_t n, enum reuseport_rollout step,
		       struct reuseport_error *err)
{
	int ret = 0;

	for (size_t i = 0; !ret && i < n; i++) {
		struct generations g = *generations(&list[i].mapped);

		ret = take_step(&list[i], step, &g, err);
	}
	for (size_t i = 0; !ret && i < n; i++)
		ret = publish(&list[i], step, err);
	return ret;
}

int reuseport_rollout(const struct reuseport_filter *filter, enum reuseport_rollout step,
		      struct reuseport_error *err)
{
	struct attachment *list;
	int *locks, ret;
	size_t n;

	ret = caps_require("roll out a generation", err);
	if (!ret) {
		catch_up(filter);
		ret = attachments_open(filter, &list, &n, err);
	}
	if (ret)
		return ret;
	ret = change_lock_all(list, n, &locks, err);
	if (!ret) {
		ret = publish_all(list, n, step, err);
		change_unlock_all(locks, n);
	}
	attachments_close(list, n);
	return ret ? ret : (int)n;
}
