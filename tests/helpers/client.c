/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * client: one request from each of many distinct source addresses and ports,
 * one after the other, the same ones for the same seed. Prints for each
 * "SRC:SPORT COOKIE" of the worker that answered ("-" if none did), so that
 * two runs can be compared with diff. The first --skip of them are left out. Exits 1
 * if any was not answered.
 */
#include "common.h"

#include <arpa/inet.h>
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define TIMEOUT_S 2
/* Below what most tests use for servers' ports, and a stride prime to it. */
#define FIRST_PORT 20000
#define PORTS 40000
#define STRIDE 7919

static const char usage[] = "client --to ADDR:PORT [--proto tcp|udp] [--count N] [--src ADDR]\n"
			    "       [--seed N] [--hosts N] [--skip N]\n";

static const struct option options[] = {
	{ "proto", 1, NULL, 'p' }, { "to", 1, NULL, 't' },   { "count", 1, NULL, 'n' },
	{ "src", 1, NULL, 's' },   { "seed", 1, NULL, 'S' }, { "hosts", 1, NULL, 'H' },
	{ "skip", 1, NULL, 'k' },  { "help", 0, NULL, 'h' }, { 0 },
};

/*
 * The i-th tuple's source. No port repeats, so that tuples differ from a single
 * address as well. The address is one of "hosts" from the base on, within its
 * last 16 bits.
 */
static void source(struct sockaddr_storage *src, int i, uint64_t seed, int hosts)
{
	uint64_t state = seed, first = next_random(&state) % PORTS;
	int port = FIRST_PORT + (first + (uint64_t)i * STRIDE) % PORTS;
	struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)src;
	struct sockaddr_in *v4 = (struct sockaddr_in *)src;
	uint32_t host;

	state = seed + i + 1;
	host = next_random(&state) % hosts;
	if (src->ss_family == AF_INET6) {
		v6->sin6_port = htons(port);
		v6->sin6_addr.s6_addr[14] += host >> 8;
		v6->sin6_addr.s6_addr[15] += host & 255;
	} else {
		v4->sin_port = htons(port);
		v4->sin_addr.s_addr = htonl(ntohl(v4->sin_addr.s_addr) + host);
	}
}

/* Loopback has that many IPv4 addresses; of others one is sure to be there. */
static int default_hosts(const char *base)
{
	return strncmp(base, "127.", 4) ? 1 : 65000;
}

/* Returns the answer's length, or -1 with errno. */
static ssize_t ask(int proto, const struct sockaddr_storage *src, const struct sockaddr_storage *to,
		   socklen_t length, char *line, size_t size)
{
	struct timeval timeout = { .tv_sec = TIMEOUT_S };
	struct linger reset = { .l_onoff = 1 };
	bool tcp = proto == IPPROTO_TCP;
	ssize_t got = -1;
	int fd, on = 1, err;

	fd = socket(to->ss_family, (tcp ? SOCK_STREAM : SOCK_DGRAM) | SOCK_CLOEXEC, 0);
	if (fd < 0)
		die("socket");
	/* Closing with a reset leaves no TIME_WAIT: the tuple is free at once. */
	if (tcp && (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) ||
		    setsockopt(fd, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset))))
		die("setsockopt");
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof(timeout));
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &timeout, sizeof(timeout));
	if (bind(fd, (const struct sockaddr *)src, length))
		die("bind the source");
	if (!connect(fd, (const struct sockaddr *)to, length) && (tcp || send(fd, "?", 1, 0) == 1))
		got = recv(fd, line, size - 1, tcp ? MSG_WAITALL : 0);
	if (got == 0)
		errno = ECONNRESET;
	err = errno;
	close(fd);
	errno = err;
	if (got <= 0)
		return -1;
	line[got] = '\0';
	return got;
}

int main(int argc, char **argv)
{
	struct sockaddr_storage to = { 0 };
	const char *base = NULL, *first_error = NULL;
	int option, proto = IPPROTO_TCP, count = 1000, failed = 0, hosts = 0, skip = 0;
	uint64_t seed = 1;
	socklen_t length = 0;

	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
		switch (option) {
		case 'p':
			proto = protocol(optarg);
			break;
		case 't':
			length = endpoint(&to, optarg);
			break;
		case 'n':
			count = number(optarg, 1, PORTS);
			break;
		case 's':
			base = optarg;
			break;
		case 'S':
			seed = number(optarg, 0, INT32_MAX);
			break;
		case 'H':
			hosts = number(optarg, 1, 65000);
			break;
		case 'k':
			skip = number(optarg, 0, PORTS);
			break;
		case 'h':
			fputs(usage, stdout);
			return 0;
		default:
			fputs(usage, stderr);
			return 2;
		}
	}
	if (!length) {
		fputs(usage, stderr);
		return 2;
	}
	if (!base)
		base = to.ss_family == AF_INET ? "127.1.0.1" : "::1";
	if (!hosts)
		hosts = default_hosts(base);

	for (int i = skip; i < count; i++) {
		struct sockaddr_storage src;
		unsigned long long cookie;
		char line[64];

		address(&src, base, 0);
		source(&src, i, seed, hosts);
		print_endpoint(&src);
		if (ask(proto, &src, &to, length, line, sizeof(line)) < 0) {
			failed++;
			first_error = first_error ? first_error : strerrorname_np(errno);
			printf(" -\n");
		} else if (sscanf(line, "%*d %llu", &cookie) == 1) {
			printf(" %llu\n", cookie);
		} else {
			errno = 0;
			die("not a worker's answer: %s", line);
		}
	}
	if (failed)
		fprintf(stderr, "client: %d of %d were not answered, the first with %s\n", failed,
			count, first_error);
	return failed ? 1 : 0;
}
