/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* Workers and clients that keep each other busy, for the end-to-end figures. */
#ifndef BENCH_TRAFFIC_H
#define BENCH_TRAFFIC_H

#include <stdatomic.h>

#define WORKERS 4

/* On a cache line of its own. */
struct worker {
	_Alignas(64) atomic_ulong served;
	int fd;
};

struct traffic {
	const char *name;
	const char *what;
	const char *unit;
	int type; /* of the sockets */
	void *(*serve)(void *worker);
	void *(*ask)(void *traffic);
	struct worker workers[WORKERS];
	atomic_ulong sent;
};

/* "tcp", "udp" or "flood"; NULL if there is no such traffic. */
struct traffic *traffic__find(const char *name);

/* Opens the group and starts the threads, which end with the process. */
int traffic__start(struct traffic *traffic);

/* What the workers have served up to now. */
unsigned long traffic__served(const struct traffic *traffic);

#endif
