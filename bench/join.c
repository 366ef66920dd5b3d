// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/*
 * How long a new worker waits for its slot: the time from listen() (TCP) or
 * bind() (UDP) until the pinned array shows the socket, a keeper running.
 * Steers a group of its own, in a network namespace of its own. Prints JSON.
 *   join REUSEPORTCTL tcp|udp MEMBERS JOINS
 */
#include <bpf/bpf.h>
#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "ctl.h"
#include "net.h"
#include "stats.h"

#define MAX_MEMBERS 4096
#define MAX_JOINS 10000
#define SPARE_SLOTS 8 /* beyond the members: few, to be looked up fast */
#define GIVE_UP_NS 2000000000ULL

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
	int array; /* fd of the pinned "sockets" */
};

/* ------------------------------------------------------------------- joining */

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

/* Cookie of the socket in a slot, 0 if it is empty. */
static uint64_t cookie_at(const struct group *group, uint32_t slot)
{
	uint64_t cookie;

	return bpf_map_lookup_elem(group->array, &slot, &cookie) ? 0 : cookie;
}

/* The slots where a joiner can appear. Their number, or -errno. */
static int find_free_slots(const struct group *group, uint32_t *free_slots)
{
	int n = 0;

	for (uint32_t slot = 0; slot < group->n + SPARE_SLOTS; slot++)
		if (!cookie_at(group, slot)) {
			if (n == SPARE_SLOTS)
				return -ENOENT;
			free_slots[n++] = slot;
		}
	return n;
}

/* Nanoseconds from "since" until the cookie is in one of the slots, or -1. */
static double wait_for_slot(const struct group *group, uint64_t cookie, uint64_t since,
			    const uint32_t *slots, int n)
{
	uint64_t now;

	do {
		for (int i = 0; i < n; i++)
			if (cookie_at(group, slots[i]) == cookie)
				return (double)(now_ns(CLOCK_MONOTONIC) - since);
		sched_yield();
		now = now_ns(CLOCK_MONOTONIC);
	} while (now - since < GIVE_UP_NS && !stopped);
	return -1;
}

/* One socket joins and leaves; what it waited, -1 if in vain, -2 on failure. */
static double join_once(const struct group *group, const uint32_t *slots, int n)
{
	int fd = net__reuseport_socket(group->type);
	bool tcp = group->type == SOCK_STREAM;
	socklen_t size = sizeof(uint64_t);
	uint64_t cookie, since;
	double waited = -2;

	if (fd < 0)
		return -2;
	if (getsockopt(fd, SOL_SOCKET, SO_COOKIE, &cookie, &size))
		goto out;
	if (tcp && net__bind(fd))
		goto out;
	since = now_ns(CLOCK_MONOTONIC);
	if (tcp ? net__listen(fd) : net__bind(fd))
		goto out;
	waited = wait_for_slot(group, cookie, since, slots, n);
out:
	close(fd);
	return waited;
}

/* The keeper comes to rest, and its timers do not march in step with us. */
static void rest(size_t i)
{
	usleep(8000 + (unsigned int)(i * 7919 % 5000));
}

static json_t *join_often(const struct group *group, size_t joins)
{
	static double waited[MAX_JOINS];
	uint32_t slots[SPARE_SLOTS];
	int free_slots = find_free_slots(group, slots);
	size_t n = 0, missed = 0;

	if (free_slots <= 0) {
		fprintf(stderr, "bench: not every member got a slot\n");
		return NULL;
	}
	for (size_t i = 0; i < joins && !stopped; i++) {
		double took;

		rest(i);
		took = join_once(group, slots, free_slots);
		if (took < -1)
			return NULL;
		if (took < 0)
			missed++;
		else
			waited[n++] = took / 1000;
	}
	if (stopped || !n)
		return NULL;
	sort_samples(waited, n);
	return json_pack("{s:s, s:i, s:i, s:i, s:o, s:o, s:o}", "proto", group->ctl.proto,
			 "members", (int)group->n, "joins", (int)joins, "missed", (int)missed,
			 "p50_us", rounded(quantile(waited, n, 0.5), 1), "p99_us",
			 rounded(quantile(waited, n, 0.99), 1), "max_us",
			 rounded(waited[n - 1], 1));
}

/* Attach, measure, and whatever happened: detach. */
static json_t *measure(struct group *group, size_t joins)
{
	json_t *result = NULL;
	char slots[32], path[sizeof(group->ctl.pin) + 16];

	snprintf(slots, sizeof(slots), "--slots %zu", group->n + SPARE_SLOTS);
	if (ctl__attach(&group->ctl, slots))
		return NULL;
	snprintf(path, sizeof(path), "%s/sockets", group->ctl.pin);
	group->array = bpf_obj_get(path);
	if (group->array < 0)
		perror(path);
	else
		result = join_often(group, joins);
	if (ctl__detach(&group->ctl)) {
		json_decref(result);
		return NULL;
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
