/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* The part of contract.c about simulations, which need no group. */
#ifndef API_CONTRACT_SIMULATE_H
#define API_CONTRACT_SIMULATE_H

#include <reuseport_simulate.h>

#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#include "check.h"

static void packets_are_checked(struct reuseport_tuple_list *list)
{
	REUSEPORT_OPTS(reuseport_tuple, tuple, .family = AF_UNIX, .dst_port = 53);
	struct {
		struct reuseport_tuple tuple;
		unsigned char tail[256];
	} newer = { .tuple = { .sz = sizeof(newer), .family = AF_INET }, .tail = { [255] = 1 } };
	struct reuseport_error err;

	CHECK(told(reuseport_tuple_list__new(NULL, &err), EINVAL, &err));
	CHECK(told(reuseport_tuple_list__add(list, NULL, &err), EINVAL, &err));
	CHECK(told(reuseport_tuple_list__add(NULL, &tuple, &err), EINVAL, &err));
	CHECK(told(reuseport_tuple_list__add(list, &tuple, &err), EINVAL, &err));
	CHECK(told(reuseport_tuple_list__add(list, &newer.tuple, &err), E2BIG, &err));
	tuple.family = AF_INET;
	tuple.sz = 0;
	CHECK(told(reuseport_tuple_list__add(list, &tuple, &err), EINVAL, &err));
	CHECK(reuseport_tuple_list__add(list, &tuple, NULL) == -EINVAL);
	CHECK(told(reuseport_tuple_list__generate(list, 0, 0, 1, &err), EINVAL, &err));
	CHECK(told(reuseport_tuple_list__generate(NULL, 1, 0, 1, &err), EINVAL, &err));
	CHECK(told(reuseport_tuple_list__generate(list, SIZE_MAX, 0, 1, &err), ENOMEM, &err));
	CHECK(reuseport_tuple_list__count(list) == 0 && !reuseport_tuple_list__get(list, 0));
	CHECK(reuseport_tuple_list__count(NULL) == 0 && !reuseport_tuple_list__get(NULL, 0));
	newer.tail[255] = 0;
	CHECK(reuseport_tuple_list__add(list, &newer.tuple, NULL) == 0);
	tuple.sz = sizeof(tuple);
	CHECK(reuseport_tuple_list__add(list, &tuple, NULL) == 0);
	CHECK(reuseport_tuple_list__generate(list, 998, 10, 1, NULL) == 0);
	CHECK(reuseport_tuple_list__count(list) == 1000);
	CHECK(reuseport_tuple_list__get(list, 1)->dst_port == 53 &&
	      reuseport_tuple_list__get(list, 999)->dst_port == 443);
	CHECK(!reuseport_tuple_list__get(list, 1000));
}

/* None of these may write the result. */
static void simulations_are_refused(struct reuseport_simulation_opts good)
{
	struct reuseport_simulated_worker workers[2] = { good.workers[0], good.workers[1] };
	REUSEPORT_OPTS(reuseport_change, change, .kind = REUSEPORT_LEAVE, .slot = 7);
	struct reuseport_simulation *const untouched = (struct reuseport_simulation *)&change;
	struct reuseport_policy_opts policy = { .sz = 0, .policy = "hash" };
	struct reuseport_simulation_opts opts = good;
	struct reuseport_simulation *out = untouched;
	struct reuseport_error err;

	CHECK(told(reuseport_simulate(NULL, &out, &err), EINVAL, &err));
	CHECK(told(reuseport_simulate(&good, NULL, &err), EINVAL, &err));
	opts.sz = 0;
	CHECK(told(reuseport_simulate(&opts, &out, &err), EINVAL, &err));
	opts = good;
	opts.workers = workers;
	workers[0].sz = 0;
	CHECK(told(reuseport_simulate(&opts, &out, &err), EINVAL, &err));
	workers[0].sz = sizeof(workers[0]);
	workers[1].sz = sizeof(workers[1]) - 1;
	CHECK(told(reuseport_simulate(&opts, &out, &err), EINVAL, &err));
	opts.workers = NULL;
	CHECK(told(reuseport_simulate(&opts, &out, &err), EINVAL, &err));
	opts = good;
	opts.packets = NULL;
	CHECK(told(reuseport_simulate(&opts, &out, &err), EINVAL, &err));
	opts = good;
	opts.policy = &policy;
	CHECK(told(reuseport_simulate(&opts, &out, &err), EINVAL, &err));
	opts = good;
	opts.n_changes = 1;
	opts.changes = NULL;
	CHECK(told(reuseport_simulate(&opts, &out, &err), EINVAL, &err));
	opts.changes = &change;
	CHECK(told(reuseport_simulate(&opts, &out, &err), EINVAL, &err));
	change.slot = 1;
	change.sz = 0;
	CHECK(told(reuseport_simulate(&opts, &out, &err), EINVAL, &err));
	CHECK(reuseport_simulate(&opts, &out, NULL) == -EINVAL);
	CHECK(out == untouched);
}

static void simulations_are_made(const struct reuseport_simulation_opts *opts)
{
	const struct reuseport_simulated_change *left;
	struct reuseport_simulation *out;

	CHECK(reuseport_simulate(opts, &out, NULL) == 0);
	CHECK(!strcmp(out->policy->policy, "hash") && out->keeps_keys && !out->exact);
	CHECK(out->packets == 1000 && out->slots == 256 && out->nobody == 0);
	CHECK(out->n_shares == 2 && out->shares[1]->slot == 1 && out->shares[1]->weight == 2);
	CHECK(out->shares[0]->packets + out->shares[1]->packets == 1000);
	CHECK(out->min_over_due > 0 && out->max_over_due >= out->min_over_due);
	CHECK(out->n_changes == 2 && out->changes[0]->change->kind == REUSEPORT_JOIN &&
	      out->changes[0]->change->slot == 2 && out->changes[0]->n_shares == 3);
	left = out->changes[1];
	CHECK(left->change->kind == REUSEPORT_LEAVE && left->change->slot == 0);
	CHECK(left->n_shares == 1 && left->shares[0]->packets == 1000);
	CHECK(left->moved == out->shares[0]->packets && left->least == left->moved);
	CHECK(!left->needless && !left->nobody);
	CHECK(*reuseport_simulation_note_text(REUSEPORT_NOTE_STAND_IN) &&
	      reuseport_simulation_note_text(1U << 31) != NULL);
	reuseport_simulation__free(out);
}

static void simulations(void)
{
	const struct reuseport_simulated_worker workers[] = {
		REUSEPORT_INIT(reuseport_simulated_worker, .slot = 0, .weight = 1),
		REUSEPORT_INIT(reuseport_simulated_worker, .slot = 1, .weight = 2),
	};
	const struct reuseport_change changes[] = {
		REUSEPORT_INIT(reuseport_change, .kind = REUSEPORT_JOIN),
		REUSEPORT_INIT(reuseport_change, .kind = REUSEPORT_LEAVE, .slot = 0),
	};
	REUSEPORT_OPTS(reuseport_simulation_opts, opts, .workers = workers, .n_workers = 2,
		       .changes = changes, .n_changes = 2);
	struct reuseport_tuple_list *list = NULL;

	CHECK(reuseport_tuple_list__new(&list, NULL) == 0);
	packets_are_checked(list);
	opts.packets = list;
	simulations_are_refused(opts);
	simulations_are_made(&opts);
	reuseport_tuple_list__free(list);
	reuseport_tuple_list__free(NULL);
	reuseport_simulation__free(NULL);
}

#endif
