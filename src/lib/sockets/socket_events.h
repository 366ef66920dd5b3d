/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* Socket events: the kernel's reports of sockets that join and leave one port. */
#ifndef SOCKETS_SOCKET_EVENTS_H
#define SOCKETS_SOCKET_EVENTS_H

#include "abi.h"
#include "host/features.h"
#include "reuseport_bpf.h"

struct socket_events;

/* Return whether to go on with the next event. */
typedef bool (*socket_events_fn)(void *ctx, const struct socket_event *event);

/*
 * Load and attach the programs that report on key; netns_cookie 0 means every
 * namespace. The programs are removed with the last process that holds them. fn is
 * called by socket_events_consume. On any error the caller polls instead.
 */
int socket_events_open(const struct reuseport_key *key, uint64_t netns_cookie, socket_events_fn fn,
		       void *ctx, struct features *features, struct socket_events **events,
		       struct reuseport_error *err);

/* Return whether REUSEPORT_DISABLE turns off a feature that the events need. */
bool socket_events_disabled(const struct features *features, int proto);
void socket_events_close(struct socket_events *events);

/* Return an fd that is readable when there are events. */
int socket_events_fd(const struct socket_events *events);

/* Call fn for each event, until it returns false: socket_events_fd() stays readable while
 * there are more. Return true if events were lost and the caller must scan. */
bool socket_events_consume(struct socket_events *events);

#endif
