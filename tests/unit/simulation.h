/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* What the tests of simulations share: packets, workers, and how to ask. */
#ifndef UNIT_SIMULATION_H
#define UNIT_SIMULATION_H

#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "reuseport_simulate.h"

#define PACKETS 100000
#define KEY "000102030405060708090a0b0c0d0e0f"

static struct reuseport_tuple_list *packets;

/* What a test asks for; the workers are in the slots 0, 1, 2... */
struct asked {
	struct reuseport_policy_opts policy;
	struct reuseport_simulated_worker workers[64];
	size_t n_workers;
	struct reuseport_change changes[4];
	size_t n_changes;
	unsigned int cpus, nodes;
	uint64_t seed;
};

static int ask(const struct asked *asked, struct reuseport_simulation **out,
	       struct reuseport_error *err)
{
	struct reuseport_policy_opts policy = asked->policy;
	struct reuseport_simulation_opts opts = {
		.sz = sizeof(opts),
		.policy = &policy,
		.workers = asked->workers,
		.n_workers = asked->n_workers,
		.packets = packets,
		.changes = asked->changes,
		.n_changes = asked->n_changes,
		.cpus = asked->cpus,
		.nodes = asked->nodes,
		.seed = asked->seed,
	};

	policy.sz = sizeof(policy);
	return reuseport_simulate(&opts, out, err);
}

static struct reuseport_simulation *get(const struct asked *asked)
{
	struct reuseport_simulation *out = NULL;
	struct reuseport_error err = { 0 };

	if (ask(asked, &out, &err))
		fail_msg("%s", err.text);
	return out;
}

static struct asked equal(const char *policy, size_t n)
{
	struct asked asked = { .policy = { .policy = policy }, .n_workers = n };

	for (size_t i = 0; i < n; i++)
		asked.workers[i] = (struct reuseport_simulated_worker)REUSEPORT_INIT(
			reuseport_simulated_worker, .slot = i, .weight = 1);
	return asked;
}

static struct reuseport_change change_of(unsigned int kind, unsigned int slot, unsigned int weight)
{
	return (struct reuseport_change)REUSEPORT_INIT(reuseport_change, .kind = kind, .slot = slot,
						       .weight = weight);
}

static void add(struct asked *asked, unsigned int kind, unsigned int slot, unsigned int weight)
{
	asked->changes[asked->n_changes++] = change_of(kind, slot, weight);
}

/* A share of all packets, to one in a hundred of them. */
static void about(uint64_t count, double share)
{
	double is = (double)count / PACKETS;

	if (is < share - 0.01 || is > share + 0.01)
		fail_msg("%.4f of the packets, expected %.4f", is, share);
}

static int make_packets(void **state)
{
	(void)state;
	return reuseport_tuple_list__new(&packets, NULL) ||
	       reuseport_tuple_list__generate(packets, PACKETS, 0, 1, NULL);
}

static int free_packets(void **state)
{
	(void)state;
	reuseport_tuple_list__free(packets);
	return 0;
}

#endif
