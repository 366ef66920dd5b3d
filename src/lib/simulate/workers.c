// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* Workers: the workers of a simulation, and their joins, leaves and weights. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "error.h"
#include "opts.h"
#include "policy/policy.h"
#include "reuseport_simulate.h"
#include "simulate/workers.h"

static int workers_alloc(struct workers *workers, unsigned int slots, struct reuseport_error *err)
{
	*workers = (struct workers){
		.slots = slots,
		.weights = calloc(slots, sizeof(*workers->weights)),
		.pids = calloc(slots, sizeof(*workers->pids)),
		.present = calloc(slots, sizeof(*workers->present)),
		.members = calloc(slots, sizeof(*workers->members)),
	};
	if (workers->weights && workers->pids && workers->present && workers->members)
		return 0;
	workers_free(workers);
	return fail(err, ENOMEM, "out of memory");
}

void workers_free(struct workers *workers)
{
	free(workers->weights);
	free(workers->pids);
	free(workers->present);
	free(workers->members);
	*workers = (struct workers){ 0 };
}

/* Add a worker. The kernel appends it to the group. */
static void workers_join(struct workers *workers, unsigned int slot, uint32_t weight, uint32_t pid)
{
	workers->present[slot] = true;
	workers->weights[slot] = weight;
	workers->pids[slot] = pid;
	workers->members[workers->n++] = slot;
}

/* Remove a worker. The kernel moves the group's last member into its place. */
static void workers_leave(struct workers *workers, unsigned int slot)
{
	for (unsigned int i = 0; i < workers->n; i++) {
		if (workers->members[i] != slot)
			continue;
		workers->members[i] = workers->members[--workers->n];
		break;
	}
	workers->present[slot] = false;
	workers->weights[slot] = 0;
}

static int workers_add(struct workers *workers, const struct reuseport_simulated_worker *worker,
		       struct reuseport_error *err)
{
	unsigned int slot = worker->slot, weight = worker->weight;

	if (slot >= workers->slots)
		return fail(err, EINVAL, "slot %u is out of range: 0 to %u", slot,
			    workers->slots - 1);
	if (workers->present[slot])
		return fail(err, EINVAL, "slot %u is given to two workers", slot);
	if (weight > REUSEPORT_WEIGHT_MAX)
		return fail(err, EINVAL, "weight %u is out of range: 0 to %u", weight,
			    REUSEPORT_WEIGHT_MAX);
	workers_join(workers, slot, weight, worker->pid);
	return 0;
}

int workers_make(struct workers *workers, unsigned int slots,
		 const struct reuseport_simulated_worker *list, size_t n,
		 struct reuseport_error *err)
{
	int ret = workers_alloc(workers, slots, err);

	for (size_t i = 0; !ret && i < n; i++) {
		struct reuseport_simulated_worker worker = { .sz = 0 };

		ret = opts_copy_element(&worker, list, i, err);
		if (!ret)
			ret = workers_add(workers, &worker, err);
	}
	if (ret)
		workers_free(workers);
	return ret;
}

int workers_copy(struct workers *copy, const struct workers *workers, struct reuseport_error *err)
{
	int ret = workers_alloc(copy, workers->slots, err);

	if (ret)
		return ret;
	memcpy(copy->weights, workers->weights, workers->slots * sizeof(*workers->weights));
	memcpy(copy->pids, workers->pids, workers->slots * sizeof(*workers->pids));
	memcpy(copy->present, workers->present, workers->slots * sizeof(*workers->present));
	memcpy(copy->members, workers->members, workers->slots * sizeof(*workers->members));
	copy->n = workers->n;
	return 0;
}

/* Let a worker join as in an attachment: into the lowest free slot, with weight 1. */
static int change_join(struct workers *workers, struct reuseport_change *change,
		       struct reuseport_error *err)
{
	unsigned int slot = 0;

	while (slot < workers->slots && workers->present[slot])
		slot++;
	if (slot == workers->slots)
		return fail(err, EINVAL, "all %u slots are in use: no worker can join",
			    workers->slots);
	change->slot = slot;
	change->weight = change->weight ? change->weight : 1;
	workers_join(workers, slot, change->weight, 0);
	return 0;
}

int workers_change(struct workers *workers, struct reuseport_change *change,
		   struct reuseport_error *err)
{
	unsigned int slot = change->slot;

	if (change->kind != REUSEPORT_LEAVE && change->weight > REUSEPORT_WEIGHT_MAX)
		return fail(err, EINVAL, "weight %u is out of range: 0 to %u", change->weight,
			    REUSEPORT_WEIGHT_MAX);
	if (change->kind == REUSEPORT_JOIN)
		return change_join(workers, change, err);
	if (slot >= workers->slots || !workers->present[slot])
		return fail(err, EINVAL, "slot %u has no worker to %s", slot,
			    change->kind == REUSEPORT_LEAVE ? "leave" : "give a weight");
	if (change->kind == REUSEPORT_WEIGHT) {
		workers->weights[slot] = change->weight;
	} else if (workers->n == 1) {
		return fail(err, EINVAL,
			    "slot %u has the only worker: if it left, no worker would be "
			    "left",
			    slot);
	} else {
		change->weight = 0;
		workers_leave(workers, slot);
	}
	return 0;
}

bool workers_restricted(const struct workers *workers)
{
	for (unsigned int slot = 0; slot < workers->slots; slot++)
		if (workers->present[slot] && !workers->weights[slot])
			return true;
	return false;
}
