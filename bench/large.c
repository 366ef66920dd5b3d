// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/*
 * One group with very many workers: how long attach, a join, a change of policy, status
 * and detach take, as a user of the command waits for them. In a network namespace of its
 * own. Prints JSON.
 *   large REUSEPORTCTL tcp|udp MEMBERS TIMES
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>

#include "ctl.h"
#include "joins.h"
#include "net.h"
#include "stats.h"

#define MAX_MEMBERS 30000
#define MAX_TIMES 100
#define JOINS 30

static volatile sig_atomic_t stopped;

static void stop(int signal)
{
	(void)signal;
	stopped = 1;
}

enum { ATTACH, TO_CONSISTENT, TO_HASH, STATUS, DETACH, STEPS };

static const char *const step_names[STEPS] = { "attach", "policy consistent", "policy hash",
					       "status", "detach" };

struct large {
	struct ctl ctl;
	int type;
	size_t members;
	double ms[STEPS][MAX_TIMES];
	json_t *join;
};

static int open_group(const struct large *large)
{
	struct rlimit files = { large->members + 100, large->members + 100 };

	if (setrlimit(RLIMIT_NOFILE, &files)) {
		perror("bench: RLIMIT_NOFILE");
		return -errno;
	}
	for (size_t i = 0; i < large->members; i++)
		if (net__member(large->type) < 0)
			return -EIO;
	return 0;
}

static int check_status(const struct large *large)
{
	json_t *groups = ctl__status(&large->ctl, ""), *group;
	size_t i, workers, most = 0;

	json_array_foreach(groups, i, group)
	{
		workers = json_array_size(json_object_get(group, "workers"));
		most = workers > most ? workers : most;
	}
	json_decref(groups);
	if (most >= large->members)
		return 0;
	fprintf(stderr, "bench: status shows %zu workers of %zu\n", most, large->members);
	return -EIO;
}

static int take_step(const struct large *large, int step)
{
	char slots[32];

	snprintf(slots, sizeof(slots), "--slots %zu", large->members + JOINS_SPARE_SLOTS);
	switch (step) {
	case ATTACH:
		return ctl__run(&large->ctl, "attach", slots);
	case TO_CONSISTENT:
		return ctl__run(&large->ctl, "policy", "consistent");
	case TO_HASH:
		return ctl__run(&large->ctl, "policy", "hash");
	case STATUS:
		return check_status(large);
	default:
		return ctl__run(&large->ctl, "detach", "");
	}
}

static int measure_joins(struct large *large)
{
	struct joins_target target = { .pin = large->ctl.pin,
				       .type = large->type,
				       .port = BENCH_PORT,
				       .slots = large->members + JOINS_SPARE_SLOTS };

	if (ctl__read_pin(&large->ctl))
		return -EIO;
	large->join = joins__measure(&target, JOINS, &stopped);
	return large->join ? 0 : -EIO;
}

/* Whatever happens, it is detached in the end. */
static int go_through(struct large *large, size_t time)
{
	int err = 0, failed;

	for (int step = ATTACH; step < STEPS; step++) {
		uint64_t since = now_ns(CLOCK_MONOTONIC);

		if (err && step != DETACH)
			continue;
		failed = take_step(large, step);
		large->ms[step][time] = (double)(now_ns(CLOCK_MONOTONIC) - since) / 1e6;
		if (!failed && step == ATTACH && !large->join)
			failed = measure_joins(large);
		err = err ? err : failed;
	}
	return err;
}

static json_t *measure(struct large *large, size_t times)
{
	json_t *rows = json_array();

	for (size_t i = 0; i < times; i++)
		if (go_through(large, i) || stopped)
			return NULL;
	for (int step = ATTACH; step < STEPS; step++)
		json_array_append_new(rows, json_pack("{s:s, s:o}", "what", step_names[step], "ms",
						      spread_json(large->ms[step], times)));
	return json_pack("{s:s, s:i, s:i, s:o, s:o}", "proto", large->ctl.proto, "members",
			 (int)large->members, "times", (int)times, "join", large->join, "rows",
			 rows);
}

int main(int argc, char **argv)
{
	struct sigaction action = { .sa_handler = stop };
	static struct large large;
	size_t times = 0;
	json_t *result;

	if (argc == 5) {
		large.ctl.path = argv[1];
		large.ctl.proto = argv[2];
		large.type = strcmp(argv[2], "udp") ? SOCK_STREAM : SOCK_DGRAM;
		large.members = strtoul(argv[3], NULL, 10);
		times = strtoul(argv[4], NULL, 10);
	}
	if (!large.members || large.members > MAX_MEMBERS || !times || times > MAX_TIMES) {
		fprintf(stderr, "usage: large REUSEPORTCTL tcp|udp MEMBERS TIMES\n");
		return 2;
	}
	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
	if (net__enter_own() || open_group(&large))
		return 1;
	result = measure(&large, times);
	return !result || print_json(result) ? 1 : 0;
}
