/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * queue: connects COUNT times, holds all connections at once, and says so with
 * "ready" on standard output; then waits for each connection's line. Prints
 * for each "SRC:SPORT COOKIE" of the worker that answered ("-" if none did), and
 * at last one JSON line, in which connected is the sum of the others:
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

enum outcome { ANSWERED, RESET, TIMEOUT, OUTCOMES };

/* And prints the connection's line. */
static enum outcome await(int fd, int64_t end)
{
	struct pollfd wait = { .fd = fd, .events = POLLIN };
	struct sockaddr_storage src = { 0 };
	socklen_t length = sizeof(src);
	int64_t left = end - now_ms();
	unsigned long long cookie;
	char line[64];
	ssize_t got;

	getsockname(fd, (struct sockaddr *)&src, &length);
	print_endpoint(&src);
	if (poll(&wait, 1, left > 0 ? left : 0) != 1) {
		printf(" -\n");
		return TIMEOUT;
	}
	got = recv(fd, line, sizeof(line) - 1, 0);
	line[got > 0 ? got : 0] = '\0';
	if (sscanf(line, "%*d %llu", &cookie) != 1) {
		printf(" -\n");
		return RESET;
	}
	printf(" %llu\n", cookie);
	return ANSWERED;
}

int main(int argc, char **argv)
{
	struct sockaddr_storage to;
	socklen_t length = 0;
	int option, count = 50, outcomes[OUTCOMES] = { 0 };
	int64_t end;
	int *fds;

	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
		switch (option) {
		case 't':
			length = endpoint(&to, optarg);
			break;
		case 'n':
			count = number(optarg, 1, 4096);
			break;
		default:
			return 2;
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
		fds[i] = socket(to.ss_family, SOCK_STREAM, 0);
		if (fds[i] < 0 || connect(fds[i], (struct sockaddr *)&to, length))
			die("connection %d", i);
	}
	printf("ready\n");
	fflush(stdout);
	if (getchar() == EOF)
		return 2;

	end = now_ms() + TIMEOUT_MS;
	for (int i = 0; i < count; i++) {
		outcomes[await(fds[i], end)]++;
		close(fds[i]);
	}
	free(fds);
	printf("{\"connected\":%d,\"answered\":%d,\"reset\":%d,\"timeout\":%d}\n", count,
	       outcomes[ANSWERED], outcomes[RESET], outcomes[TIMEOUT]);
	return 0;
}
