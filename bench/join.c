// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/*
 * How long a new worker waits for its slot: the time from listen() (TCP) or
 * bind() (UDP) until the pinned array shows the socket, a keeper running.
 * Steers a group of its own, in a network namespace of its own. Prints JSON.
 *   join REUSEPORTCTL tcp|udp MEMBERS JOINS
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

#define MAX_MEMBERS 4096
#define MAX_JOINS 10000

static volatile sig_atomic_t stopped;

static void stop(int signal)
{
	(void)signal;
	stopped = 1;
}

struct group {
	struct ctl ctl;
	int type;
	size_t n;
	int members[MAX_MEMBERS];
};

static int open_members(struct group *group)
{
	struct rlimit files = { group->n + 100, group->n + 100 };

	if (setrlimit(RLIMIT_NOFILE, &files))
		return -errno;
	for (size_t i = 0; i < group->n; i++) {
		group->members[i] = net__member(group->type);
		if (group->members[i] < 0)
			return group->members[i];
	}
	return 0;
}

/* Attach, measure, and whatever happened: detach. */
static json_t *measure(struct group *group, size_t joins)
{
	struct joins_target target = { .type = group->type,
				       .port = BENCH_PORT,
				       .slots = group->n + JOINS_SPARE_SLOTS };
	json_t *result;
	char slots[32];

	snprintf(slots, sizeof(slots), "--slots %zu", target.slots);
	if (ctl__attach(&group->ctl, slots))
		return NULL;
	target.pin = group->ctl.pin;
	result = joins__measure(&target, joins, &stopped);
	if (ctl__detach(&group->ctl)) {
		json_decref(result);
		return NULL;
	}
	if (result) {
		json_object_set_new(result, "proto", json_string(group->ctl.proto));
		json_object_set_new(result, "members", json_integer((int)group->n));
	}
	return result;
}

int main(int argc, char **argv)
{
	struct sigaction action = { .sa_handler = stop };
	static struct group group;
	size_t joins;
	json_t *result;

	if (argc == 5) {
		group.ctl.path = argv[1];
		group.ctl.proto = argv[2];
		group.type = strcmp(argv[2], "udp") ? SOCK_STREAM : SOCK_DGRAM;
		group.n = strtoul(argv[3], NULL, 10);
	}
	joins = argc == 5 ? strtoul(argv[4], NULL, 10) : 0;
	if (!group.n || group.n > MAX_MEMBERS || !joins || joins > MAX_JOINS) {
		fprintf(stderr, "usage: join REUSEPORTCTL tcp|udp MEMBERS JOINS\n");
		return 2;
	}
	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
	if (net__enter_own() || open_members(&group))
		return 1;
	result = measure(&group, joins);
	return !result || print_json(result) ? 1 : 0;
}
