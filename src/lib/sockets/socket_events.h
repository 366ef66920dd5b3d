/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* Socket events: what joins and leaves the port of one group, as the kernel reports it. */
#ifndef SOCKETS_SOCKET_EVENTS_H
#define SOCKETS_SOCKET_EVENTS_H

#include "abi.h"
#include "host/features.h"
#include "reuseport_bpf.h"

struct socket_events;

typedef void (*socket_events_fn)(void *ctx, const struct socket_event *event);

/*
 * Load and attach the programs that report on key; netns_cookie 0 means every
 * namespace. They go with the last process that holds them. fn is called
 * from socket_events_consume. -EOPNOTSUPP and others: poll instead.
 */
int socket_events_open(const struct reuseport_key *key, uint64_t netns_cookie, socket_events_fn fn,
		       void *ctx, struct features *features, struct socket_events **events,
		       struct reuseport_error *err);

/* Whether that is so by order. */
bool socket_events_disabled(const struct features *features, int proto);
void socket_events_close(struct socket_events *events);

/* Readable when there are events. */
int socket_events_fd(const struct socket_events *events);

/* Calls fn for each event. True: events were lost, look for yourself. */
bool socket_events_consume(struct socket_events *events);

#endif
