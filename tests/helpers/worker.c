/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * worker: an unmodified reuseport server, in the layouts that real ones have.
 * It knows nothing of the toolkit. Prints "ready PID COOKIE..." when it
 * listens; before that, with --fork or --shared, "child PID COOKIE" for each.
 */
#include "common.h"

#include <errno.h>
#include <getopt.h>
#include <linux/filter.h>
#include <linux/io_uring.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
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
	"       [--connect-after-ms N]     so long after it was bound\n"
	"       [--no-reuseport] [--reuseaddr]  SO_REUSEPORT unset, or SO_REUSEADDR instead\n"
	"       [--also-reuseaddr]  both are set\n"
	"       [--bind-dev NAME]  SO_BINDTODEVICE on each socket\n"
	"       [--lock-filter]  SO_LOCK_FILTER on each socket\n"
	"       [--transparent]  IP_TRANSPARENT on each socket\n"
	"       [--undumpable]  no other process of the user may trace this one\n"
	"       [--own-table]   the sockets are in a thread's own table of descriptors\n"
	"       [--main-ends]   another thread serves, and the main one has ended\n"
	"       [--classic-program]  a program of its own selects: always the first\n"
	"       [--mptcp]       TCP: listens with MPTCP\n"
	"       [--io-uring]    an io_uring has the sockets, nothing else has; it does not serve\n"
	"       [--incoming-cpu N]  SO_INCOMING_CPU on each socket\n"
	"       [--delay-ms N]  before each answer\n"
	"       [--buffer BYTES]  to receive into\n"
	"       [--round-ms N]  TCP: accepts once in N ms, answers a round later; SIGTERM\n"
	"                       closes the listeners first\n";

static const struct option options[] = {
	{ "proto", 1, NULL, 'p' },
	{ "addr", 1, NULL, 'a' },
	{ "port", 1, NULL, 'P' },
	{ "v6only", 0, NULL, '6' },
	{ "bind-dev", 1, NULL, 'v' },
	{ "sockets", 1, NULL, 'n' },
	{ "fork", 1, NULL, 'f' },
	{ "shared", 1, NULL, 's' },
	{ "orphan", 0, NULL, 'O' },
	{ "dup", 1, NULL, 'd' },
	{ "no-reuseport", 0, NULL, 'R' },
	{ "reuseaddr", 0, NULL, 'r' },
	{ "connect-udp", 1, NULL, 'c' },
	{ "connect-after-ms", 1, NULL, 'C' },
	{ "delay-ms", 1, NULL, 'D' },
	{ "incoming-cpu", 1, NULL, 'i' },
	{ "buffer", 1, NULL, 'b' },
	{ "round-ms", 1, NULL, 'o' },
	{ "also-reuseaddr", 0, NULL, 'A' },
	{ "lock-filter", 0, NULL, 'l' },
	{ "transparent", 0, NULL, 'T' },
	{ "undumpable", 0, NULL, 'u' },
	{ "own-table", 0, NULL, 't' },
	{ "main-ends", 0, NULL, 'e' },
	{ "mptcp", 0, NULL, 'm' },
	{ "classic-program", 0, NULL, 'B' },
	{ "io-uring", 0, NULL, 'U' },
	{ "help", 0, NULL, 'h' },
	{ 0 },
};

struct layout {
	int sockets, fork, shared, dup;
	bool orphan;
	int incoming_cpu; /* -1: unset */
	const char *connect_to;
	int connect_after_ms;
	bool lock_filter, transparent, undumpable, own_table, main_ends, io_uring, classic;
};

struct worker {
	struct server server;
	struct layout layout;
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
		case 'v':
			server->dev = optarg;
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
		case 'A':
			server->reuseaddr = true;
			break;
		case 'l':
			layout->lock_filter = true;
			break;
		case 'T':
			layout->transparent = true;
			break;
		case 'u':
			layout->undumpable = true;
			break;
		case 't':
			layout->own_table = true;
			break;
		case 'e':
			layout->main_ends = true;
			break;
		case 'm':
			server->mptcp = true;
			break;
		case 'B':
			layout->classic = true;
			break;
		case 'U':
			layout->io_uring = true;
			break;
		case 'c':
			layout->connect_to = optarg;
			break;
		case 'C':
			layout->connect_after_ms = number(optarg, 0, 60000);
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

static void connected_member(const struct server *server, const char *to, int after_ms)
{
	struct sockaddr_storage peer;
	socklen_t length = endpoint(&peer, to);
	int fd = server_socket(server);

	usleep(after_ms * 1000);
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

static void set_socket_option(int fd, int option, int value, const char *name)
{
	if (setsockopt(fd, SOL_SOCKET, option, &value, sizeof(value)))
		die("%s", name);
}

static void select_always_first(int fd)
{
	struct sock_filter first = BPF_STMT(BPF_RET | BPF_K, 0);
	struct sock_fprog program = { .len = 1, .filter = &first };

	if (setsockopt(fd, SOL_SOCKET, SO_ATTACH_REUSEPORT_CBPF, &program, sizeof(program)))
		die("SO_ATTACH_REUSEPORT_CBPF");
}

static int make_socket(const struct server *server, const struct layout *layout)
{
	int fd = server_socket(server), one = 1;

	if (layout->incoming_cpu >= 0)
		set_socket_option(fd, SO_INCOMING_CPU, layout->incoming_cpu, "SO_INCOMING_CPU");
	if (layout->transparent && setsockopt(fd, IPPROTO_IP, IP_TRANSPARENT, &one, sizeof(one)))
		die("IP_TRANSPARENT");
	if (layout->classic)
		select_always_first(fd);
	if (layout->lock_filter)
		set_socket_option(fd, SO_LOCK_FILTER, 1, "SO_LOCK_FILTER");
	return fd;
}

/* Give the sockets to an io_uring, close them, and wait for a signal. */
static void keep_in_io_uring(const int *sockets, int n)
{
	struct io_uring_params params = { 0 };
	int ring = syscall(SYS_io_uring_setup, 4, &params), signal;
	sigset_t set;

	if (ring < 0 || syscall(SYS_io_uring_register, ring, IORING_REGISTER_FILES, sockets, n))
		die("io_uring");
	for (int i = 0; i < n; i++)
		close(sockets[i]);
	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigwait(&set, &signal);
}

static void run(const struct server *server, const struct layout *layout)
{
	int n = layout->fork ? layout->fork : layout->shared ? 1 : layout->sockets;
	int children = layout->fork ? layout->fork : layout->shared;
	int fds = n * (1 + layout->dup), epfd;
	int *sockets = calloc(fds, sizeof(*sockets));
	pid_t *pids = calloc(children + 1, sizeof(*pids));

	if (!sockets || !pids)
		die("memory");
	for (int i = 0; i < n; i++)
		sockets[i] = make_socket(server, layout);
	for (int i = n; i < fds; i++) {
		sockets[i] = dup(sockets[i % n]);
		if (sockets[i] < 0)
			die("dup");
	}
	if (layout->orphan)
		become_orphan();
	if (layout->connect_to)
		connected_member(server, layout->connect_to, layout->connect_after_ms);
	for (int i = 0; i < children; i++)
		pids[i] = start_child(server, sockets[layout->fork ? i : 0]);
	epfd = children ? -1 : epoll_set(sockets, fds);

	printf("ready %d", getpid());
	for (int i = 0; i < n; i++)
		printf(" %llu", (unsigned long long)cookie_of(sockets[i]));
	printf("\n");
	fflush(stdout);

	if (layout->io_uring)
		keep_in_io_uring(sockets, n);
	else if (children)
		supervise(pids, children);
	else if (server->round_ms)
		serve_in_rounds(server, sockets, fds);
	else
		serve(server, epfd);
	free(sockets);
	free(pids);
}

static void *run_thread(void *arg)
{
	struct worker *worker = arg;

	if (worker->layout.own_table && unshare(CLONE_FILES))
		die("unshare");
	run(&worker->server, &worker->layout);
	exit(0);
}

int main(int argc, char **argv)
{
	static struct worker worker = {
		.server = { .proto = IPPROTO_TCP, .addr = "0.0.0.0", .reuseport = true },
		.layout = { .sockets = 1, .incoming_cpu = -1 },
	};
	pthread_t thread;

	parse(argc, argv, &worker.server, &worker.layout);
	raise_limits();
	hold_signals();
	if (worker.layout.undumpable && prctl(PR_SET_DUMPABLE, 0))
		die("PR_SET_DUMPABLE");
	if (!worker.layout.own_table && !worker.layout.main_ends) {
		run(&worker.server, &worker.layout);
		return 0;
	}
	if (pthread_create(&thread, NULL, run_thread, &worker))
		die("pthread_create");
	if (worker.layout.main_ends)
		pthread_exit(NULL);
	pthread_join(thread, NULL);
	return 0;
}
