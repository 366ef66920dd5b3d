/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * twins: the first two datagrams of a flow on two CPUs at the same time, flow after
 * flow, and a third one after them. Prints one JSON line:
 *   split   flows whose first two were answered by two workers
 *   strayed flows whose third was answered by another one than their second
 *   lost    datagrams that were not answered within 3 s
 */
#include "common.h"

#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define TIMEOUT_S 3
#define FIRST_PORT 10000

static const struct option options[] = {
	{ "to", 1, NULL, 't' },
	{ "count", 1, NULL, 'n' },
	{ 0 },
};

static atomic_int round_sent[2]; /* the last round that each of them takes part in */
static atomic_int round_fd;
static int rounds;

static void pin(int cpu)
{
	cpu_set_t all, one;

	if (sched_getaffinity(0, sizeof(all), &all))
		die("sched_getaffinity");
	CPU_ZERO(&one);
	for (int i = 0; i < CPU_SETSIZE; i++)
		if (CPU_ISSET(i, &all) && !cpu--)
			CPU_SET(i, &one);
	/* With one CPU only they take turns. */
	if (CPU_COUNT(&one) && sched_setaffinity(0, sizeof(one), &one))
		die("sched_setaffinity");
}

/* Both come here and leave at the same moment. */
static void meet(int self, int round)
{
	atomic_store(&round_sent[self], round);
	for (unsigned int looks = 1; atomic_load(&round_sent[!self]) < round; looks++)
		if (!(looks % 4096))
			sched_yield();
}

static void *send_second(void *unused)
{
	pin(1);
	for (int round = 1; round <= rounds; round++) {
		meet(1, 2 * round - 1);
		if (send(atomic_load(&round_fd), "2", 1, 0) != 1)
			die("send");
		meet(1, 2 * round);
	}
	return unused;
}

static int open_flow(const struct sockaddr_storage *to, socklen_t length, int i)
{
	struct timeval timeout = { .tv_sec = TIMEOUT_S };
	struct sockaddr_storage src;
	int fd = socket(to->ss_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (fd < 0)
		die("socket");
	address(&src, to->ss_family == AF_INET ? "127.1.0.1" : "::1", FIRST_PORT + i);
	if (setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof(timeout)) ||
	    bind(fd, (struct sockaddr *)&src, length) ||
	    connect(fd, (const struct sockaddr *)to, length))
		die("a flow");
	return fd;
}

/* Who answers, 0 for nobody. */
static uint64_t answer(int fd)
{
	char text[64];
	ssize_t got = recv(fd, text, sizeof(text) - 1, 0);
	uint64_t cookie;

	if (got <= 0)
		return 0;
	text[got] = '\0';
	errno = 0;
	if (sscanf(text, "%*d %" SCNu64, &cookie) != 1)
		die("not a worker's answer: %s", text);
	return cookie;
}

int main(int argc, char **argv)
{
	struct sockaddr_storage to = { 0 };
	int option, split = 0, strayed = 0, lost = 0;
	socklen_t length = 0;
	pthread_t second;

	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
		switch (option) {
		case 't':
			length = endpoint(&to, optarg);
			break;
		case 'n':
			rounds = number(optarg, 1, 40000);
			break;
		default:
			return 2;
		}
	}
	errno = 0;
	if (!length || !rounds)
		die("--to and --count are required");
	if (pthread_create(&second, NULL, send_second, NULL))
		die("a thread");
	pin(0);
	for (int round = 1; round <= rounds; round++) {
		uint64_t by[3];
		int fd = open_flow(&to, length, round);

		atomic_store(&round_fd, fd);
		meet(0, 2 * round - 1);
		if (send(fd, "1", 1, 0) != 1)
			die("send");
		meet(0, 2 * round);
		by[0] = answer(fd);
		by[1] = answer(fd);
		if (send(fd, "3", 1, 0) != 1)
			die("send");
		by[2] = answer(fd);
		close(fd);
		lost += !by[0] + !by[1] + !by[2];
		split += by[0] && by[1] && by[0] != by[1];
		strayed += by[1] && by[2] && by[1] != by[2];
	}
	pthread_join(second, NULL);
	printf("{\"flows\":%d,\"split\":%d,\"strayed\":%d,\"lost\":%d}\n", rounds, split, strayed,
	       lost);
	return 0;
}
