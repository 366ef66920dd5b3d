// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* Servers for many attachments: processes in namespaces of their own, with groups. */
#include "servers.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "net.h"

static pid_t server_pids[SERVERS];

static int open_groups(void)
{
	for (int port = BENCH_PORT; port < BENCH_PORT + SERVERS_PORTS; port++)
		for (int i = 0; i < SERVERS_MEMBERS; i++)
			if (net__member_on(SOCK_STREAM, port) < 0 ||
			    net__member_on(SOCK_DGRAM, port) < 0)
				return -EIO;
	return 0;
}

/* Ctrl-C is for the benchmark, which detaches first. */
static void serve(pid_t benchmark, int ready)
{
	signal(SIGINT, SIG_IGN);
	prctl(PR_SET_NAME, "bench-server");
	if (prctl(PR_SET_PDEATHSIG, SIGKILL) || getppid() != benchmark || net__enter_own() ||
	    open_groups() || write(ready, "", 1) != 1)
		_exit(1);
	for (;;)
		pause();
}

int servers__start(void)
{
	pid_t benchmark = getpid();
	int ready[2];
	char byte;

	for (size_t i = 0; i < SERVERS; i++) {
		if (pipe(ready)) {
			perror("bench: pipe");
			return -EIO;
		}
		server_pids[i] = fork();
		if (!server_pids[i])
			serve(benchmark, ready[1]);
		close(ready[1]);
		if (server_pids[i] < 0 || read(ready[0], &byte, 1) != 1) {
			fprintf(stderr, "bench: a server could not be started\n");
			return -EIO;
		}
		close(ready[0]);
	}
	return 0;
}

struct servers_group servers__group(size_t i)
{
	size_t port = i / 2 / SERVERS;

	return (struct servers_group){ .server = server_pids[i / 2 % SERVERS],
				       .proto = i % 2 ? "udp" : "tcp",
				       .type = i % 2 ? SOCK_DGRAM : SOCK_STREAM,
				       .port = BENCH_PORT + (int)port };
}
