/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* Pending: events of sockets that could not be handled yet, and are tried again. */
#ifndef KEEPER_PENDING_H
#define KEEPER_PENDING_H

#include "keeper/handle.h"

/* Handle an event now, or else keep it for later. */
void pending_begin(struct reuseport_group *group, const struct socket_event *event);

/* Try again what is pending: one event, and more until loop.call_until. */
void pending_retry(struct reuseport_group *group);

#endif
