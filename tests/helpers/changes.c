/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * changes: changes the policy and the weights of what is attached on a port, at
 * random, as fast as the library does it, for at least --seconds and until there
 * were --count changes. Only the slots below --slots get other weights, and the
 * first of them never 0. Prints one JSON line:
 *   missing  changes of the weight of a slot without a worker
 *   failed   changes that failed, each also told on standard error
 */
#include "common.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "reuseport_bpf.h"

static const struct option options[] = {
	{ "port", 1, NULL, 'P' },  { "proto", 1, NULL, 'p' },
	{ "netns", 1, NULL, 'N' }, { "seconds", 1, NULL, 's' },
	{ "count", 1, NULL, 'n' }, { "slots", 1, NULL, 'w' },
	{ "seed", 1, NULL, 'S' },  { 0 },
};

#define HASH_KEY "000102030405060708090a0b0c0d0e0f"

static const struct reuseport_policy_opts policies[] = {
	{ .policy = "hash" },
	{ .policy = "hash", .key = "src" },
	{ .policy = "linux39" },
	{ .policy = "linux39", .hash_key = HASH_KEY },
	{ .policy = "consistent" },
	{ .policy = "consistent", .key = "src-prefix/24,56", .hash_key = HASH_KEY },
	{ .policy = "weighted" },
	{ .policy = "weighted", .over = "consistent" },
	{ .policy = "cpu" },
	{ .policy = "cpu", .cpu_map = "0:0" },
	{ .policy = "numa" },
	{ .policy = "least-queue" },
	{ .policy = "random" },
	{ .policy = "round-robin" },
};

#define N_POLICIES (sizeof(policies) / sizeof(policies[0]))

struct changes {
	struct reuseport_filter filter;
	unsigned int slots;
	uint64_t random;
	unsigned long policies, weights, missing, failed;
	int64_t longest_us;
};

static void tell(const char *what, const struct reuseport_error *error)
{
	fprintf(stderr, "changes: %s: %s\n", what, error->text);
}

static void change_policy(struct changes *changes)
{
	struct reuseport_policy_opts opts = policies[next_random(&changes->random) % N_POLICIES];
	struct reuseport_error error;

	opts.sz = sizeof(opts);
	changes->policies++;
	if (reuseport_set_policy(&changes->filter, &opts, &error) > 0)
		return;
	changes->failed++;
	tell(opts.policy, &error);
}

static void change_weight(struct changes *changes)
{
	unsigned int slot = next_random(&changes->random) % changes->slots;
	unsigned int weight = next_random(&changes->random) % 4 ?
				      1 + next_random(&changes->random) % 20 :
				      !slot;
	struct reuseport_error error;
	char worker[32];
	int ret;

	snprintf(worker, sizeof(worker), "slot:%u", slot);
	changes->weights++;
	ret = reuseport_set_weight(&changes->filter, worker, weight, &error);
	if (ret == -ENOENT) {
		changes->missing++;
	} else if (ret < 0) {
		changes->failed++;
		tell(worker, &error);
	}
}

static void change(struct changes *changes)
{
	int64_t start = now_us(), took;

	if (next_random(&changes->random) % 2)
		change_policy(changes);
	else
		change_weight(changes);
	took = now_us() - start;
	if (took > changes->longest_us)
		changes->longest_us = took;
}

int main(int argc, char **argv)
{
	struct changes changes = { .filter = REUSEPORT_INIT(reuseport_filter, .port = 0),
				   .slots = 1,
				   .random = time(NULL) };
	const char *netns = NULL;
	unsigned long count = 500;
	struct reuseport_error error;
	int64_t start, seconds = 0;
	int option;

	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
		switch (option) {
		case 'P':
			changes.filter.port = number(optarg, 1, 65535);
			break;
		case 'p':
			changes.filter.proto = protocol(optarg);
			break;
		case 'N':
			netns = optarg;
			break;
		case 's':
			seconds = number(optarg, 0, 600);
			break;
		case 'n':
			count = number(optarg, 1, 1000000);
			break;
		case 'w':
			changes.slots = number(optarg, 1, 32768);
			break;
		case 'S':
			changes.random = number(optarg, 0, INT32_MAX);
			break;
		default:
			return 2;
		}
	}
	errno = 0;
	if (!changes.filter.port || !netns)
		die("--port and --netns are required");
	if (reuseport_netns(netns, &changes.filter.netns, &error))
		die("%s", error.text);
	start = now_us();
	while (changes.policies + changes.weights < count || now_us() - start < seconds * 1000000)
		change(&changes);
	printf("{\"changes\":%lu,\"policies\":%lu,\"weights\":%lu,\"missing\":%lu,\"failed\":%lu,"
	       "\"per_second\":%.0f,\"longest_ms\":%.1f}\n",
	       changes.policies + changes.weights, changes.policies, changes.weights,
	       changes.missing, changes.failed,
	       (changes.policies + changes.weights) * 1e6 / (now_us() - start),
	       changes.longest_us / 1e3);
	return changes.failed ? 1 : 0;
}
