/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * queue: connects COUNT times, holds all connections at once, and says so with
 * "ready" on standard output; then waits for each connection's line. Prints
 * one JSON line, in which connected is the sum of the others:
 *   answered  the worker's line came
 *   reset     a reset, or the end without a line
 *   timeout   neither, within 5 s after a newline on standard input
 * A request that was refused at once is an error: the test wanted a queue.
 */
#include "common.h"

#include <errno.h>
#include <getopt.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define TIMEOUT_MS 5000

static const struct option options[] = {
	{ "to", 1, NULL, 't' },
	{ "count", 1, NULL, 'n' },
	{ 0 },
};

int main(int argc, char **argv)
{
	struct sockaddr_storage to;
	socklen_t length = 0;
	int option, count = 50, answered = 0, reset = 0, timeouts = 0;
	struct pollfd *fds;
	int64_t end;

	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
		switch (option) {
		case 't': length = endpoint(&to, optarg); break;
		case 'n': count = number(optarg, 1, 4096); break;
		default: return 2;
		}
	}
	errno = 0;
	if (!length)
		die("--to is missing");
	raise_limits();
	fds = calloc(count, sizeof(*fds));
	if (!fds)
		die("memory");
	for (int i = 0; i < count; i++) {
		fds[i].fd = socket(to.ss_family, SOCK_STREAM, 0);
		fds[i].events = POLLIN;
		if (fds[i].fd < 0 || connect(fds[i].fd, (struct sockaddr *)&to, length))
			die("connection %d", i);
	}
	printf("ready\n");
	fflush(stdout);
	if (getchar() == EOF)
		return 2;

	end = now_ms() + TIMEOUT_MS;
	for (int i = 0; i < count; i++) {
		int64_t left = end - now_ms();
		char line[64];

		if (poll(&fds[i], 1, left > 0 ? left : 0) != 1)
			timeouts++;
		else if (recv(fds[i].fd, line, sizeof(line), 0) > 0)
			answered++;
		else
			reset++;
		close(fds[i].fd);
	}
	free(fds);
	printf("{\"connected\":%d,\"answered\":%d,\"reset\":%d,\"timeout\":%d}\n", count, answered,
	       reset, timeouts);
	return 0;
}
