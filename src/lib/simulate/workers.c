// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* Crowd: the workers of a simulation, and what a join, a leave or a weight does. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "error.h"
#include "policy/policy.h"
#include "reuseport_simulate.h"
#include "simulate/workers.h"

static int make_room(struct crowd *crowd, unsigned int slots, struct reuseport_error *err)
{
	*crowd = (struct crowd){
		.slots = slots,
		.weights = calloc(slots, sizeof(*crowd->weights)),
		.pids = calloc(slots, sizeof(*crowd->pids)),
		.there = calloc(slots, sizeof(*crowd->there)),
		.members = calloc(slots, sizeof(*crowd->members)),
	};
	if (crowd->weights && crowd->pids && crowd->there && crowd->members)
		return 0;
	crowd_free(crowd);
	return fail(err, ENOMEM, "out of memory");
}

void crowd_free(struct crowd *crowd)
{
	free(crowd->weights);
	free(crowd->pids);
	free(crowd->there);
	free(crowd->members);
	*crowd = (struct crowd){ 0 };
}

/* The kernel appends who joins. */
static void join(struct crowd *crowd, unsigned int slot, uint32_t weight, uint32_t pid)
{
	crowd->there[slot] = true;
	crowd->weights[slot] = weight;
	crowd->pids[slot] = pid;
	crowd->members[crowd->n++] = slot;
}

/* The kernel moves the last one into the hole. */
static void leave(struct crowd *crowd, unsigned int slot)
{
	for (unsigned int i = 0; i < crowd->n; i++) {
		if (crowd->members[i] != slot)
			continue;
		crowd->members[i] = crowd->members[--crowd->n];
		break;
	}
	crowd->there[slot] = false;
	crowd->weights[slot] = 0;
}

int crowd_make(struct crowd *crowd, unsigned int slots,
	       const struct reuseport_simulated_worker *workers, size_t n,
	       struct reuseport_error *err)
{
	int ret = make_room(crowd, slots, err);

	for (size_t i = 0; !ret && i < n; i++) {
		unsigned int slot = workers[i].slot, weight = workers[i].weight;

		if (slot >= slots)
			ret = fail(err, EINVAL, "slot %u is out of range: 0 to %u", slot,
				   slots - 1);
		else if (crowd->there[slot])
			ret = fail(err, EINVAL, "slot %u is given to two workers", slot);
		else if (weight > REUSEPORT_WEIGHT_MAX)
			ret = fail(err, EINVAL, "weight %u is out of range: 0 to %u", weight,
				   REUSEPORT_WEIGHT_MAX);
		else
			join(crowd, slot, weight, workers[i].pid);
	}
	if (ret)
		crowd_free(crowd);
	return ret;
}

int crowd_copy(struct crowd *copy, const struct crowd *crowd, struct reuseport_error *err)
{
	int ret = make_room(copy, crowd->slots, err);

	if (ret)
		return ret;
	memcpy(copy->weights, crowd->weights, crowd->slots * sizeof(*crowd->weights));
	memcpy(copy->pids, crowd->pids, crowd->slots * sizeof(*crowd->pids));
	memcpy(copy->there, crowd->there, crowd->slots * sizeof(*crowd->there));
	memcpy(copy->members, crowd->members, crowd->slots * sizeof(*crowd->members));
	copy->n = crowd->n;
	return 0;
}

/* As in an attachment: into the lowest free slot, with weight 1. */
static int change_join(struct crowd *crowd, struct reuseport_change *change,
		       struct reuseport_error *err)
{
	unsigned int slot = 0;

	while (slot < crowd->slots && crowd->there[slot])
		slot++;
	if (slot == crowd->slots)
		return fail(err, EINVAL, "all %u slots are taken: nobody can join", crowd->slots);
	change->slot = slot;
	change->weight = change->weight ? change->weight : 1;
	join(crowd, slot, change->weight, 0);
	return 0;
}

int crowd_change(struct crowd *crowd, struct reuseport_change *change, struct reuseport_error *err)
{
	unsigned int slot = change->slot;

	if (change->kind != REUSEPORT_LEAVE && change->weight > REUSEPORT_WEIGHT_MAX)
		return fail(err, EINVAL, "weight %u is out of range: 0 to %u", change->weight,
			    REUSEPORT_WEIGHT_MAX);
	if (change->kind == REUSEPORT_JOIN)
		return change_join(crowd, change, err);
	if (slot >= crowd->slots || !crowd->there[slot])
		return fail(err, EINVAL, "slot %u has no worker that could %s", slot,
			    change->kind == REUSEPORT_LEAVE ? "leave" : "have another weight");
	if (change->kind == REUSEPORT_WEIGHT) {
		crowd->weights[slot] = change->weight;
	} else if (crowd->n == 1) {
		return fail(err, EINVAL,
			    "slot %u has the only worker: if it left, nobody would be "
			    "there",
			    slot);
	} else {
		change->weight = 0;
		leave(crowd, slot);
	}
	return 0;
}

bool crowd_restricted(const struct crowd *crowd)
{
	for (unsigned int slot = 0; slot < crowd->slots; slot++)
		if (crowd->there[slot] && !crowd->weights[slot])
			return true;
	return false;
}
