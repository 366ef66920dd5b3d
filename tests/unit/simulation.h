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

static struct reuseport_tuple packets[PACKETS];

/* What a test asks for; the workers are in the slots 0, 1, 2... */
struct asked {
	struct reuseport_policy_opts rules;
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
	struct reuseport_policy_opts rules = asked->rules;
	struct reuseport_simulation_opts opts = {
		.sz = sizeof(opts),
		.rules = &rules,
		.workers = asked->workers,
		.n_workers = asked->n_workers,
		.tuples = packets,
		.n_tuples = PACKETS,
		.changes = asked->changes,
		.n_changes = asked->n_changes,
		.cpus = asked->cpus,
		.nodes = asked->nodes,
		.seed = asked->seed,
	};

	rules.sz = sizeof(rules);
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
	struct asked asked = { .rules = { .policy = policy }, .n_workers = n };

	for (size_t i = 0; i < n; i++)
		asked.workers[i] = (struct reuseport_simulated_worker){ .slot = i, .weight = 1 };
	return asked;
}

static void add(struct asked *asked, unsigned int kind, unsigned int slot, unsigned int weight)
{
	asked->changes[asked->n_changes++] = (struct reuseport_change){ kind, slot, weight };
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
	return reuseport_generate(packets, PACKETS, 0, 1, NULL);
}

#endif
