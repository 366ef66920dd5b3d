// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* Workers and clients that keep each other busy, for the end-to-end figures. */
#include "traffic.h"

#include <errno.h>
#include <netinet/in.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "net.h"

#define CLIENTS 4
#define FLOWS 16   /* of each UDP client */
#define BATCH 32   /* datagrams that a flood's worker takes at once */
#define WINDOW 128 /* datagrams of a flood under way; fits any receive buffer */

static void count(struct worker *worker, unsigned long n)
{
	atomic_fetch_add_explicit(&worker->served, n, memory_order_relaxed);
}

/* ------------------------------------------- tcp: connect, accept, close */

static void *accept_and_reset(void *arg)
{
	struct worker *worker = arg;
	int fd;

	while ((fd = accept(worker->fd, NULL, NULL)) >= 0) {
		net__reset(fd);
		count(worker, 1);
	}
	return NULL;
}

/* The worker may have reset the connection before connect() has returned. */
static void *connect_and_wait(void *arg)
{
	char byte;
	int fd;

	(void)arg;
	while ((fd = net__client(SOCK_STREAM)) >= 0 || fd == -ECONNRESET) {
		if (fd < 0)
			continue;
		if (recv(fd, &byte, sizeof(byte), 0) < 0 && errno != ECONNRESET)
			perror("bench: recv");
		close(fd);
	}
	return NULL;
}

/* ------------------------------------------------ udp: request and reply */

static void *reply(void *arg)
{
	struct worker *worker = arg;
	struct sockaddr_in peer;
	socklen_t size = sizeof(peer);
	char byte;

	while (recvfrom(worker->fd, &byte, sizeof(byte), 0, (struct sockaddr *)&peer, &size) > 0) {
		if (sendto(worker->fd, &byte, sizeof(byte), 0, (struct sockaddr *)&peer, size) < 0)
			break;
		count(worker, 1);
	}
	return NULL;
}

static int open_flows(int *flows)
{
	for (size_t i = 0; i < FLOWS; i++)
		if ((flows[i] = net__client(SOCK_DGRAM)) < 0)
			return flows[i];
	return 0;
}

static void *request(void *arg)
{
	int flows[FLOWS];
	char byte;

	(void)arg;
	if (open_flows(flows))
		return NULL;
	for (;;) {
		for (size_t i = 0; i < FLOWS; i++)
			if (send(flows[i], "x", 1, 0) != 1)
				return NULL;
		for (size_t i = 0; i < FLOWS; i++)
			if (recv(flows[i], &byte, sizeof(byte), 0) != 1)
				return NULL;
	}
}

/* ----------------------------------------------------- flood: one way only */

static void *swallow(void *arg)
{
	struct worker *worker = arg;
	char bytes[BATCH];
	struct iovec parts[BATCH];
	struct mmsghdr batch[BATCH] = { 0 };
	int n;

	for (size_t i = 0; i < BATCH; i++) {
		parts[i] = (struct iovec){ &bytes[i], 1 };
		batch[i].msg_hdr = (struct msghdr){ .msg_iov = &parts[i], .msg_iovlen = 1 };
	}
	while ((n = recvmmsg(worker->fd, batch, BATCH, MSG_WAITFORONE, NULL)) > 0)
		count(worker, (unsigned long)n);
	return NULL;
}

static void *pour(void *arg)
{
	struct traffic *traffic = arg;
	int flows[FLOWS];

	if (open_flows(flows))
		return NULL;
	for (;;) {
		while (atomic_load(&traffic->sent) - traffic__served(traffic) >= WINDOW)
			sched_yield();
		atomic_fetch_add(&traffic->sent, BATCH);
		for (size_t i = 0; i < BATCH; i++)
			if (send(flows[i % FLOWS], "x", 1, 0) != 1)
				return NULL;
	}
}

/* -------------------------------------------------------------------------- */

static struct traffic traffics[] = {
	{ .name = "tcp",
	  .what = "TCP connect, accept, close",
	  .unit = "connections/s",
	  .type = SOCK_STREAM,
	  .serve = accept_and_reset,
	  .ask = connect_and_wait },
	{ .name = "udp",
	  .what = "UDP request and reply",
	  .unit = "datagrams steered/s",
	  .type = SOCK_DGRAM,
	  .serve = reply,
	  .ask = request },
	{ .name = "flood",
	  .what = "UDP one way, nothing done with it",
	  .unit = "datagrams steered/s",
	  .type = SOCK_DGRAM,
	  .serve = swallow,
	  .ask = pour },
};

struct traffic *traffic__find(const char *name)
{
	for (size_t i = 0; i < sizeof(traffics) / sizeof(*traffics); i++)
		if (!strcmp(traffics[i].name, name))
			return &traffics[i];
	return NULL;
}

int traffic__start(struct traffic *traffic)
{
	pthread_t thread;

	for (size_t i = 0; i < WORKERS; i++) {
		struct worker *worker = &traffic->workers[i];

		worker->fd = net__member(traffic->type);
		if (worker->fd < 0)
			return worker->fd;
	}
	for (size_t i = 0; i < WORKERS; i++)
		if (pthread_create(&thread, NULL, traffic->serve, &traffic->workers[i]))
			return -EAGAIN;
	for (size_t i = 0; i < CLIENTS; i++)
		if (pthread_create(&thread, NULL, traffic->ask, traffic))
			return -EAGAIN;
	return 0;
}

unsigned long traffic__served(const struct traffic *traffic)
{
	unsigned long sum = 0;

	for (size_t i = 0; i < WORKERS; i++)
		sum += atomic_load_explicit(&traffic->workers[i].served, memory_order_relaxed);
	return sum;
}
