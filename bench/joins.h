/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* How long sockets that join a group wait for their slots. */
#ifndef BENCH_JOINS_H
#define BENCH_JOINS_H

#include <jansson.h>
#include <signal.h>
#include <stddef.h>

/* Slots beyond the members: few, to be looked up fast. */
#define JOINS_SPARE_SLOTS 8

struct joins_target {
	const char *pin; /* of the group, which has JOINS_SPARE_SLOTS free slots or fewer */
	int type;
	int port;
	size_t slots;
};

/*
 * So many sockets, one after the other, join the group and leave. The thread is in the
 * group's namespace. {"joins":, "missed":, "p50_us":, "p99_us":, "max_us":}; NULL on a
 * failure, which has been said on standard error, and once *stopped is set.
 */
json_t *joins__measure(const struct joins_target *target, size_t joins,
		       const volatile sig_atomic_t *stopped);

#endif
