// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* How long sockets that join a group wait for their slots. */
#include "joins.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <sched.h>
#include <stdbool.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#include "net.h"
#include "stats.h"

#define MAX_JOINS 10000
#define GIVE_UP_NS 2000000000ULL

struct joining {
	const struct joins_target *target;
	const volatile sig_atomic_t *stopped;
	int array; /* fd of the pinned "sockets" */
};

/* Cookie of the socket in a slot, 0 if it is empty. */
static uint64_t cookie_at(const struct joining *group, uint32_t slot)
{
	uint64_t cookie;

	return bpf_map_lookup_elem(group->array, &slot, &cookie) ? 0 : cookie;
}

/* The slots where a joiner can appear. Their number, or -errno. */
static int find_free_slots(const struct joining *group, uint32_t *free_slots)
{
	int n = 0;

	for (uint32_t slot = 0; slot < group->target->slots; slot++)
		if (!cookie_at(group, slot)) {
			if (n == JOINS_SPARE_SLOTS)
				return -ENOENT;
			free_slots[n++] = slot;
		}
	return n;
}

/* Nanoseconds from "since" until the cookie is in one of the slots, or -1. */
static double wait_for_slot(const struct joining *group, uint64_t cookie, uint64_t since,
			    const uint32_t *slots, int n)
{
	uint64_t now;

	do {
		for (int i = 0; i < n; i++)
			if (cookie_at(group, slots[i]) == cookie)
				return (double)(now_ns(CLOCK_MONOTONIC) - since);
		sched_yield();
		now = now_ns(CLOCK_MONOTONIC);
	} while (now - since < GIVE_UP_NS && !*group->stopped);
	return -1;
}

/* One socket joins and leaves; what it waited, -1 if in vain, -2 on failure. */
static double join_once(const struct joining *group, const uint32_t *slots, int n)
{
	int fd = net__reuseport_socket(group->target->type);
	bool tcp = group->target->type == SOCK_STREAM;
	socklen_t size = sizeof(uint64_t);
	uint64_t cookie, since;
	double waited = -2;

	if (fd < 0)
		return -2;
	if (getsockopt(fd, SOL_SOCKET, SO_COOKIE, &cookie, &size))
		goto out;
	if (tcp && net__bind_port(fd, group->target->port))
		goto out;
	since = now_ns(CLOCK_MONOTONIC);
	if (tcp ? net__listen(fd) : net__bind_port(fd, group->target->port))
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

static json_t *join_often(const struct joining *group, size_t joins)
{
	static double waited[MAX_JOINS];
	uint32_t slots[JOINS_SPARE_SLOTS];
	int free_slots = find_free_slots(group, slots);
	size_t n = 0, missed = 0;

	if (free_slots <= 0) {
		fprintf(stderr, "bench: not every member got a slot\n");
		return NULL;
	}
	for (size_t i = 0; i < joins && !*group->stopped; i++) {
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
	if (*group->stopped || !n)
		return NULL;
	sort_samples(waited, n);
	return json_pack("{s:i, s:i, s:o, s:o, s:o}", "joins", (int)joins, "missed", (int)missed,
			 "p50_us", rounded(quantile(waited, n, 0.5), 1), "p99_us",
			 rounded(quantile(waited, n, 0.99), 1), "max_us",
			 rounded(waited[n - 1], 1));
}

json_t *joins__measure(const struct joins_target *target, size_t joins,
		       const volatile sig_atomic_t *stopped)
{
	struct joining group = { .target = target, .stopped = stopped };
	json_t *result = NULL;
	char path[512];

	snprintf(path, sizeof(path), "%s/sockets", target->pin);
	group.array = bpf_obj_get(path);
	if (group.array < 0) {
		perror(path);
		return NULL;
	}
	if (joins <= MAX_JOINS)
		result = join_often(&group, joins);
	close(group.array);
	return result;
}
