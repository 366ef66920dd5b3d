/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * worker: an unmodified reuseport server, in the layouts that real ones have.
 * It knows nothing of the toolkit. Prints "ready PID COOKIE..." when it
 * listens; before that, with --fork or --shared, "child PID COOKIE" for each.
 */
#include "common.h"

#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

static const char usage[] =
	"worker --port P [--proto tcp|udp] [--addr A] [--v6only]\n"
	"       [--sockets N]   N sockets in this process\n"
	"       [--fork N]      N sockets made here, each served by a child that inherits all\n"
	"       [--shared N]    one socket, served by N children\n"
	"       [--orphan]      the process that made the sockets has ended\n"
	"       [--dup N]       each socket under N further descriptors\n"
	"       [--connect-udp ADDR:PORT]  one further member, connected\n"
	"       [--no-reuseport] [--reuseaddr]  SO_REUSEPORT unset, or SO_REUSEADDR instead\n"
	"       [--incoming-cpu N]  SO_INCOMING_CPU on each socket\n"
	"       [--delay-ms N]  before each answer\n"
	"       [--buffer BYTES]  to receive into\n"
	"       [--round-ms N]  TCP: accepts once in N ms, answers a round later; SIGTERM\n"
	"                       closes the listeners first\n";

static const struct option options[] = {
	{ "proto", 1, NULL, 'p' },     { "addr", 1, NULL, 'a' },
	{ "port", 1, NULL, 'P' },      { "v6only", 0, NULL, '6' },
	{ "sockets", 1, NULL, 'n' },   { "fork", 1, NULL, 'f' },
	{ "shared", 1, NULL, 's' },    { "orphan", 0, NULL, 'O' },
	{ "dup", 1, NULL, 'd' },       { "no-reuseport", 0, NULL, 'R' },
	{ "reuseaddr", 0, NULL, 'r' }, { "connect-udp", 1, NULL, 'c' },
	{ "delay-ms", 1, NULL, 'D' },  { "incoming-cpu", 1, NULL, 'i' },
	{ "buffer", 1, NULL, 'b' },    { "round-ms", 1, NULL, 'o' },
	{ "help", 0, NULL, 'h' },      { 0 },
};

struct layout {
	int sockets, fork, shared, dup;
	bool orphan;
	int incoming_cpu; /* -1: unset */
	const char *connect_to;
};

static void parse(int argc, char **argv, struct server *server, struct layout *layout)
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
		case '6':
			server->v6only = true;
			break;
		case 'n':
			layout->sockets = number(optarg, 1, 32768);
			break;
		case 'f':
			layout->fork = number(optarg, 1, 256);
			break;
		case 's':
			layout->shared = number(optarg, 1, 256);
			break;
		case 'O':
			layout->orphan = true;
			break;
		case 'd':
			layout->dup = number(optarg, 1, 64);
			break;
		case 'R':
			server->reuseport = false;
			break;
		case 'r':
			server->reuseport = false;
			server->reuseaddr = true;
			break;
		case 'c':
			layout->connect_to = optarg;
			break;
		case 'i':
			layout->incoming_cpu = number(optarg, 0, 4095);
			break;
		case 'D':
			server->delay_ms = number(optarg, 0, 60000);
			break;
		case 'b':
			server->buffer = number(optarg, 1, 1 << 30);
			break;
		case 'o':
			server->round_ms = number(optarg, 1, 60000);
			break;
		case 'h':
			fputs(usage, stdout);
			exit(0);
		default:
			fputs(usage, stderr);
			exit(2);
		}
	}
	if (!server->port || (server->round_ms &&
			      (server->proto != IPPROTO_TCP || layout->fork || layout->shared))) {
		fputs(usage, stderr);
		exit(2);
	}
}

static void connected_member(const struct server *server, const char *to)
{
	struct sockaddr_storage peer;
	socklen_t length = endpoint(&peer, to);
	int fd = server_socket(server);

	if (connect(fd, (struct sockaddr *)&peer, length))
		die("connect");
}

static void become_orphan(void)
{
	switch (fork()) {
	case -1:
		die("fork");
	case 0:
		return;
	default:
		_exit(0);
	}
}

static pid_t start_child(const struct server *server, int socket)
{
	int ready[2], epfd;
	pid_t pid, parent = getpid();
	char byte;

	if (pipe(ready))
		die("pipe");
	fflush(stdout);
	pid = fork();
	if (pid < 0)
		die("fork");
	if (!pid) {
		/* No child outlives a parent that was killed. */
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (getppid() != parent)
			_exit(1);
		epfd = epoll_set(&socket, 1);
		if (write(ready[1], "", 1) != 1)
			_exit(1);
		close(ready[0]);
		close(ready[1]);
		serve(server, epfd);
		_exit(0);
	}
	close(ready[1]);
	if (read(ready[0], &byte, 1) != 1)
		die("a child failed");
	close(ready[0]);
	printf("child %d %llu\n", pid, (unsigned long long)cookie_of(socket));
	return pid;
}

/* Keeps every socket open, as nginx's master does, and ends with the children. */
static void supervise(const pid_t *children, int n)
{
	sigset_t set;
	int signal;

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigwait(&set, &signal);
	for (int i = 0; i < n; i++)
		kill(children[i], SIGTERM);
	while (wait(NULL) > 0 || errno == EINTR)
		;
}

int main(int argc, char **argv)
{
	struct server server = { .proto = IPPROTO_TCP, .addr = "0.0.0.0", .reuseport = true };
	struct layout layout = { .sockets = 1, .incoming_cpu = -1 };
	int n, children, fds;
	int *sockets;
	pid_t *pids;

	parse(argc, argv, &server, &layout);
	raise_limits();
	hold_signals();

	n = layout.fork ? layout.fork : layout.shared ? 1 : layout.sockets;
	children = layout.fork ? layout.fork : layout.shared;
	fds = n * (1 + layout.dup);
	sockets = calloc(fds, sizeof(*sockets));
	pids = calloc(children + 1, sizeof(*pids));
	if (!sockets || !pids)
		die("memory");
	for (int i = 0; i < n; i++) {
		sockets[i] = server_socket(&server);
		if (layout.incoming_cpu >= 0 &&
		    setsockopt(sockets[i], SOL_SOCKET, SO_INCOMING_CPU, &layout.incoming_cpu,
			       sizeof(layout.incoming_cpu)))
			die("SO_INCOMING_CPU");
	}
	for (int i = n; i < fds; i++) {
		sockets[i] = dup(sockets[i % n]);
		if (sockets[i] < 0)
			die("dup");
	}
	if (layout.orphan)
		become_orphan();
	if (layout.connect_to)
		connected_member(&server, layout.connect_to);
	for (int i = 0; i < children; i++)
		pids[i] = start_child(&server, sockets[layout.fork ? i : 0]);

	int epfd = children ? -1 : epoll_set(sockets, fds);

	printf("ready %d", getpid());
	for (int i = 0; i < n; i++)
		printf(" %llu", (unsigned long long)cookie_of(sockets[i]));
	printf("\n");
	fflush(stdout);

	if (children)
		supervise(pids, children);
	else if (server.round_ms)
		serve_in_rounds(&server, sockets, fds);
	else
		serve(&server, epfd);
	free(sockets);
	free(pids);
	return 0;
}
