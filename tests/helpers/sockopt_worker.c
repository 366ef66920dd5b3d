// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/*
 * sockopt_worker: a worker that controls itself by socket options. It serves as "worker" does, and
 * prints "ready PID COOKIE". Then it answers each line of its standard input by a line "said
 * ANSWER":
 *   NUMBER VALUE        sets an option; 0 or the errno
 *   sync NUMBER VALUE   sets it, and waits until it is in effect; the milliseconds, or "errno N"
 *   state               the members of struct reuseport_worker_sockopt, or "errno N"
 *   served              how many it has served
 *   flood N             sets random options N times
 *   noise N             the same with random levels, names, lengths and values
 */
#include "common.h"

#include <errno.h>
#include <getopt.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "reuseport_sockopt.h"

static const char usage[] =
	"sockopt_worker --port P [--proto tcp|udp] [--addr A] [--buffer BYTES]\n"
	"               [--set NUMBER=VALUE]...  before bind()\n";

static const struct option options[] = {
	{ "proto", 1, NULL, 'p' },
	{ "addr", 1, NULL, 'a' },
	{ "port", 1, NULL, 'P' },
	{ "buffer", 1, NULL, 'b' },
	{ "set", 1, NULL, 's' },
	{ "help", 0, NULL, 'h' },
	{ 0 },
};

#define SETS_MAX 8
static struct {
	int name;
	int value;
} sets[SETS_MAX];
static int n_sets;

static int listener;

/* ------------------------------------------------------------------ the options */

/* Return 0 or the errno. */
static int set(int fd, int name, int value)
{
	return setsockopt(fd, SOL_REUSEPORT_BPF, name, &value, sizeof(value)) ? errno : 0;
}

static void set_before_bind(int fd)
{
	for (int i = 0; i < n_sets; i++) {
		errno = set(fd, sets[i].name, sets[i].value);
		if (errno)
			die("option %d", sets[i].name);
	}
}

/* Return 0 or the errno. */
static int read_state(struct reuseport_worker_sockopt *state)
{
	socklen_t len = sizeof(*state);

	if (getsockopt(listener, SOL_REUSEPORT_BPF, REUSEPORT_STATE, state, &len))
		return errno;
	return len == sizeof(*state) ? 0 : EPROTO;
}

/* --------------------------------------------------------------------- commands */

static void say_state(void)
{
	struct reuseport_worker_sockopt s;
	int error = read_state(&s);

	if (error)
		printf("said errno %d\n", error);
	else
		printf("said %u %u %u %u %u %u %u %u %llu\n", s.state, s.slot, s.generation,
		       s.weight, s.id, s.queue, s.half_open, s.flows, (unsigned long long)s.seq);
}

static void sync_option(int name, int value)
{
	struct reuseport_worker_sockopt before, now;
	int64_t begun = now_us();
	int error = read_state(&before);

	if (!error)
		error = set(listener, name, value);
	while (!error) {
		error = read_state(&now);
		if (!error && now.seq > before.seq)
			break;
		usleep(200);
	}
	if (error)
		printf("said errno %d\n", error);
	else
		printf("said %.1f\n", (now_us() - begun) / 1000.0);
}

static void flood(long n)
{
	static const int names[] = { REUSEPORT_READY, REUSEPORT_DRAIN, REUSEPORT_WEIGHT };
	uint64_t random = getpid();

	for (long i = 0; i < n; i++)
		set(listener, names[next_random(&random) % 3], next_random(&random) % 2);
	printf("said done\n");
}

/* The level, and those beside it; no other option of the kernel is meant. */
static void noise(long n)
{
	uint64_t random = getpid();
	char value[64];
	socklen_t len;

	for (long i = 0; i < n; i++) {
		int level = SOL_REUSEPORT_BPF - 1 + next_random(&random) % 3;
		int name = (int)(next_random(&random) % 12) - 2;

		len = next_random(&random) % (sizeof(value) + 1);
		for (size_t at = 0; at < sizeof(value); at++)
			value[at] = next_random(&random) % 4 ? 0 : next_random(&random);
		if (next_random(&random) % 4)
			setsockopt(listener, level, name, value, len);
		else
			getsockopt(listener, level, name, value, &len);
	}
	printf("said done\n");
}

static void obey(const char *line)
{
	int name, value;
	long n;

	if (!strcmp(line, "state\n"))
		say_state();
	else if (!strcmp(line, "served\n"))
		printf("said %lu\n", served());
	else if (sscanf(line, "flood %ld", &n) == 1)
		flood(n);
	else if (sscanf(line, "noise %ld", &n) == 1)
		noise(n);
	else if (sscanf(line, "sync %d %d", &name, &value) == 2)
		sync_option(name, value);
	else if (sscanf(line, "%d %d", &name, &value) == 2)
		printf("said %d\n", set(listener, name, value));
	else
		printf("said what?\n");
	fflush(stdout);
}

static void *obey_all(void *arg)
{
	char line[80];

	(void)arg;
	while (fgets(line, sizeof(line), stdin))
		obey(line);
	return NULL;
}

/* ------------------------------------------------------------------------- main */

static void add_set(const char *text)
{
	if (n_sets == SETS_MAX ||
	    sscanf(text, "%d=%d", &sets[n_sets].name, &sets[n_sets].value) != 2)
		die("--set %s", text);
	n_sets++;
}

static void parse(int argc, char **argv, struct server *server)
{
	int option;

	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
		switch (option) {
		case 'p':
			server->proto = protocol(optarg);
			break;
		case 'a':
			server->addr = optarg;
			break;
		case 'P':
			server->port = number(optarg, 1, 65535);
			break;
		case 'b':
			server->buffer = number(optarg, 1, 1 << 30);
			break;
		case 's':
			add_set(optarg);
			break;
		default:
			fputs(usage, option == 'h' ? stdout : stderr);
			exit(option == 'h' ? 0 : 2);
		}
	}
	if (!server->port)
		die("--port is missing");
}

int main(int argc, char **argv)
{
	struct server server = { .proto = IPPROTO_TCP,
				 .addr = "0.0.0.0",
				 .reuseport = true,
				 .before_bind = set_before_bind };
	pthread_t thread;

	parse(argc, argv, &server);
	hold_signals();
	listener = server_socket(&server);
	if (pthread_create(&thread, NULL, obey_all, NULL))
		die("pthread_create");
	printf("ready %d %llu\n", getpid(), (unsigned long long)cookie_of(listener));
	fflush(stdout);
	serve(&server, epoll_set(&listener, 1));
	return 0;
}
