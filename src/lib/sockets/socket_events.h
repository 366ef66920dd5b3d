/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* Watch: the kernel's events of joins and leaves on one group's port. */
#ifndef SOCKETS_SOCKET_EVENTS_H
#define SOCKETS_SOCKET_EVENTS_H

#include "abi.h"
#include "host/features.h"
#include "reuseport_bpf.h"

struct watch;

typedef void (*watch_fn)(void *ctx, const struct watch_event *event);

/*
 * Loads and attaches the watch programs for key; netns_cookie 0 means every
 * namespace. They go with the last process that has the watch. fn is called
 * from watch_consume. -EOPNOTSUPP and others: poll instead.
 */
int watch_open(const struct reuseport_key *key, uint64_t netns_cookie, watch_fn fn, void *ctx,
	       struct features *features, struct watch **watch, struct reuseport_error *err);

/* Whether that is so by order. */
bool watch_disabled(const struct features *features, int proto);
void watch_close(struct watch *watch);

/* Readable when there are events. */
int watch_fd(const struct watch *watch);

/* Calls fn for each event. True: events were lost, look for yourself. */
bool watch_consume(struct watch *watch);

#endif
