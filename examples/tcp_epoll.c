// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/*
 * A TCP server with processes. Each worker has a socket and an epoll set of its own, and answers
 * each line of a client with "PID NUMBER". The number is the worker's REUSEPORT_ID. SIGTERM ends
 * the worker that gets it, or all of them if the parent does: a worker asks for nothing new,
 * accepts what it has been given by then, gives its clients five seconds to finish, and ends. The
 * parent replaces a worker that has ended.
 *
 *     cc -o tcp_epoll tcp_epoll.c
 *     ./tcp_epoll 8080 4 &                    # port, workers
 *     sudo reuseportctl attach --port 8080
 *     kill PID                                # of a worker: no connection fails
 */
#include <errno.h>
#include <netinet/in.h>
#include <reuseport_sockopt.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define WORKERS_MAX 64
#define PATIENCE_MS 5000

static volatile sig_atomic_t ending;

static void end(int signal)
{
	ending = signal;
}

static long now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* It fails where nothing steers the group. That is no error: the kernel picks, as ever. */
static bool ask(int listener, int name, int value)
{
	return !setsockopt(listener, SOL_REUSEPORT_BPF, name, &value, sizeof(value));
}

static struct reuseport_worker_sockopt state_of(int listener)
{
	struct reuseport_worker_sockopt state = { .slot = REUSEPORT_NO_SLOT };
	socklen_t size = sizeof(state);

	getsockopt(listener, SOL_REUSEPORT_BPF, REUSEPORT_STATE, &state, &size);
	return state;
}

static void watch(int set, int fd)
{
	struct epoll_event event = { .events = EPOLLIN, .data.fd = fd };

	epoll_ctl(set, EPOLL_CTL_ADD, fd, &event);
}

/* Return the number of clients that have come. */
static int accept_all(int set, int listener)
{
	int client, n;

	for (n = 0; (client = accept(listener, NULL, NULL)) >= 0; n++)
		watch(set, client);
	return n;
}

/* Return the number of clients that have gone, 0 or 1. */
static int answer(int client, int number)
{
	char text[512];
	ssize_t got = recv(client, text, sizeof(text), MSG_DONTWAIT);
	int length = snprintf(text, sizeof(text), "%d %d\n", getpid(), number);

	if (got > 0 && send(client, text, length, MSG_NOSIGNAL) == length)
		return 0;
	if (got < 0 && errno == EAGAIN)
		return 0;
	close(client);
	return 1;
}

/* Wait for something to do, for timeout_ms at most, or for a signal. Return by how many the
 * clients are more now. */
static int turn(int set, int listener, int number, int timeout_ms)
{
	struct epoll_event events[64];
	sigset_t none;
	int n, more = 0;

	sigemptyset(&none);
	n = epoll_pwait(set, events, 64, timeout_ms, &none);
	for (int i = 0; i < n; i++) {
		if (events[i].data.fd == listener)
			more += accept_all(set, listener);
		else
			more -= answer(events[i].data.fd, number);
	}
	return more;
}

static void serve(int set, int listener, int number)
{
	struct reuseport_worker_sockopt state;
	int clients = 0;
	long deadline;
	__u64 before;

	while (!ending)
		clients += turn(set, listener, number, -1);
	deadline = now_ms() + PATIENCE_MS;
	/* Nothing new comes once seq has risen. What has come by then is half open or waits. */
	before = state_of(listener).seq;
	if (ask(listener, REUSEPORT_DRAIN, 1)) {
		do {
			clients += turn(set, listener, number, 10);
			state = state_of(listener);
		} while ((state.seq <= before || state.half_open || state.queue) &&
			 now_ms() < deadline);
	}
	clients += accept_all(set, listener);
	close(listener);
	while (clients > 0 && now_ms() < deadline)
		clients += turn(set, -1, number, 100);
}

static int worker(int port, int number)
{
	int listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0), set = epoll_create1(0);
	struct sockaddr_in at = { .sin_family = AF_INET, .sin_port = htons(port) };
	int one = 1;

	setsockopt(listener, SOL_SOCKET, SO_REUSEPORT, &one, sizeof(one));
	/* It is remembered, and set when the socket joins. */
	ask(listener, REUSEPORT_ID, number);
	if (bind(listener, (struct sockaddr *)&at, sizeof(at)) || listen(listener, 1024)) {
		perror("tcp_epoll: port");
		return 1;
	}
	watch(set, listener);
	/* What a server has to prepare comes before this. */
	ask(listener, REUSEPORT_READY, 1);
	serve(set, listener, number);
	return 0;
}

/* Return the pid. */
static pid_t start(int port, int number)
{
	pid_t pid = fork();

	if (pid)
		return pid;
	prctl(PR_SET_PDEATHSIG, SIGTERM);
	_exit(worker(port, number));
}

/* Start again those that have ended. Return false if one could not serve. */
static bool replace(pid_t *pids, int n, int port)
{
	pid_t ended;
	int status;

	while ((ended = waitpid(-1, &status, WNOHANG)) > 0) {
		if (WIFEXITED(status) && WEXITSTATUS(status))
			return false;
		for (int i = 0; i < n; i++) {
			if (pids[i] == ended)
				pids[i] = start(port, i + 1);
		}
	}
	return true;
}

int main(int argc, char **argv)
{
	int port = argc > 1 ? atoi(argv[1]) : 8080, n = argc > 2 ? atoi(argv[2]) : 4, signal;
	pid_t pids[WORKERS_MAX];
	sigset_t held;

	if (n < 1 || n > WORKERS_MAX)
		return 2;
	/* Workers let SIGTERM through while they wait. */
	sigemptyset(&held);
	sigaddset(&held, SIGTERM);
	sigaddset(&held, SIGCHLD);
	sigprocmask(SIG_BLOCK, &held, NULL);
	sigaction(SIGTERM, &(struct sigaction){ .sa_handler = end }, NULL);
	for (int i = 0; i < n; i++)
		pids[i] = start(port, i + 1);
	while (!sigwait(&held, &signal) && signal == SIGCHLD && replace(pids, n, port))
		;
	for (int i = 0; i < n; i++)
		kill(pids[i], SIGTERM);
	while (wait(NULL) > 0)
		;
	return signal != SIGTERM;
}
