/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * Hook places: which processes are told of binds. Each one has a place, with a ring buffer,
 * and holds the lock on the place's directory. The lock ends with the process, in whatever
 * PID namespace it is.
 */
#ifndef STATE_HOOK_PLACES_H
#define STATE_HOOK_PLACES_H

#include "state/hooks.h"

/* Take a free place for the ring buffer. Return the fd that holds the place's lock, or -errno.
 * -EUSERS: no place is free. */
int hook_places_take(const struct hooks *hooks, int ring, unsigned int *place,
		     struct reuseport_error *err);

/* Give a place up; the caller closes the fd that holds its lock. */
void hook_places_give_up(const struct hooks *hooks, unsigned int place);

#endif
