// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/*
 * A UDP server with threads, each with a socket of its own. A thread remembers its clients, here
 * how many datagrams each has sent, so a client must stay with its thread. With sticky flows it
 * does, while threads come and go. A datagram is answered with "COUNT THREAD DATAGRAM". SIGHUP
 * replaces the oldest thread: another one begins, and the old one asks for no new flows, serves
 * those that it has until they are idle, for half a minute at most, and ends. SIGTERM lets all of
 * them end so.
 *
 *     cc -pthread -o udp_threads udp_threads.c
 *     ./udp_threads 5300 4 &                  # port, threads
 *     sudo reuseportctl attach --port 5300 --proto udp --sticky --idle 3
 *     kill -HUP $!                            # the count of no client that goes on begins again
 */
#include <netinet/in.h>
#include <pthread.h>
#include <reuseport_sockopt.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#define THREADS_MAX 64
#define PATIENCE_S 30

struct thread {
	atomic_bool ending;
	int fd, number;
	unsigned int count[65536]; /* of each client, by its port */
};

/* It fails where nothing steers the group. That is no error: the kernel picks, as ever. */
static bool ask(int fd, int name, int value)
{
	return !setsockopt(fd, SOL_REUSEPORT_BPF, name, &value, sizeof(value));
}

/* Answer a datagram. Return false if none comes within a tenth of a second. */
static bool serve(struct thread *thread)
{
	struct sockaddr_in client;
	socklen_t size = sizeof(client);
	char asked[64], text[128];
	ssize_t got;
	int length;

	got = recvfrom(thread->fd, asked, sizeof(asked), 0, (struct sockaddr *)&client, &size);
	if (got < 0)
		return false;
	length = snprintf(text, sizeof(text), "%u %d %.*s\n",
			  ++thread->count[ntohs(client.sin_port)], thread->number, (int)got, asked);
	sendto(thread->fd, text, length, 0, (struct sockaddr *)&client, size);
	return true;
}

/* Serve the flows that the thread has, until they have ended. */
static void drain(struct thread *thread)
{
	struct reuseport_worker_sockopt state = { 0 };
	socklen_t size = sizeof(state);
	time_t deadline = time(NULL) + PATIENCE_S;
	__u64 before;

	getsockopt(thread->fd, SOL_REUSEPORT_BPF, REUSEPORT_STATE, &state, &size);
	before = state.seq;
	if (!ask(thread->fd, REUSEPORT_DRAIN, 1))
		return;
	do {
		serve(thread);
		getsockopt(thread->fd, SOL_REUSEPORT_BPF, REUSEPORT_STATE, &state, &size);
	} while ((state.seq <= before || state.flows) && time(NULL) < deadline);
	/* Whoever is left goes to other threads from here on. */
	ask(thread->fd, REUSEPORT_DRAIN, 2);
}

static void *run(void *arg)
{
	struct thread *thread = arg;

	while (!thread->ending)
		serve(thread);
	drain(thread);
	while (serve(thread))
		;
	close(thread->fd);
	free(thread);
	return NULL;
}

/* Return a thread that serves, or NULL. */
static struct thread *start(int port)
{
	struct sockaddr_in at = { .sin_family = AF_INET, .sin_port = htons(port) };
	struct timeval tenth = { .tv_usec = 100000 };
	struct thread *thread = calloc(1, sizeof(*thread));
	static int started;
	pthread_t id;
	int one = 1;

	if (!thread)
		return NULL;
	thread->number = ++started;
	thread->fd = socket(AF_INET, SOCK_DGRAM, 0);
	setsockopt(thread->fd, SOL_SOCKET, SO_REUSEPORT, &one, sizeof(one));
	setsockopt(thread->fd, SOL_SOCKET, SO_RCVTIMEO, &tenth, sizeof(tenth));
	if (bind(thread->fd, (struct sockaddr *)&at, sizeof(at)) ||
	    pthread_create(&id, NULL, run, thread))
		return NULL;
	pthread_detach(id);
	ask(thread->fd, REUSEPORT_READY, 1);
	return thread;
}

int main(int argc, char **argv)
{
	int port = argc > 1 ? atoi(argv[1]) : 5300, n = argc > 2 ? atoi(argv[2]) : 4, signal;
	struct thread *threads[THREADS_MAX], *old;
	sigset_t held;

	if (n < 1 || n > THREADS_MAX)
		return 2;
	sigemptyset(&held);
	sigaddset(&held, SIGHUP);
	sigaddset(&held, SIGTERM);
	pthread_sigmask(SIG_BLOCK, &held, NULL);
	for (int i = 0; i < n; i++) {
		threads[i] = start(port);
		if (!threads[i]) {
			perror("udp_threads: port");
			return 1;
		}
	}
	for (int i = 0; !sigwait(&held, &signal) && signal == SIGHUP; i = (i + 1) % n) {
		old = threads[i];
		threads[i] = start(port);
		if (threads[i])
			old->ending = true;
		else
			threads[i] = old;
	}
	for (int i = 0; i < n; i++)
		threads[i]->ending = true;
	/* The process ends with the last thread. */
	pthread_exit(NULL);
}
