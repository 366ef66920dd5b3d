/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * Slots: a worker keeps its slot as long as it lives. The array in the kernel is the truth;
 * struct worker_entry describes the worker in the slot.
 */
#ifndef KEEPER_SLOTS_H
#define KEEPER_SLOTS_H

#include "keeper/handle.h"
#include "state/sockarray.h"

/* Return the worker's slot, or SLOT_NONE. */
unsigned int slots_find(const struct reuseport_group *group, uint64_t cookie);

/*
 * Reserve the lowest free slot for a socket of the owner, and describe the worker there. -ENOSPC:
 * no slot is free. Then comes join_place(), in a helper, and slots_confirm() or
 * slots_cancel().
 */
int slots_reserve(struct reuseport_group *group, uint64_t cookie, const struct socket_owner *owner,
		  unsigned int *slot);

/* The worker has its slot; "owner" is whose descriptor was put there. */
void slots_confirm(struct reuseport_group *group, unsigned int slot,
		   const struct socket_owner *owner);

/* It does not get it; empty the slot if it was put there. */
void slots_cancel(struct reuseport_group *group, unsigned int slot);

/* Release the slots of sockets that have left: the kernel has emptied them. */
void slots_release_empty(struct reuseport_group *group);

/* Free the slot of a worker that has left. */
void slots_release(struct reuseport_group *group, unsigned int slot);

/* Take a worker that has just joined out of its slot again. */
void slots_evict(struct reuseport_group *group, unsigned int slot);

/* Take a socket out of a slot that is free to our knowledge: a helper that was given up had put
 * it there. Return whether it was in one. */
bool slots_drop_stray(struct reuseport_group *group, uint64_t cookie);

/* Record which process serves the worker. Return whether that has changed. */
bool slots_set_server(struct reuseport_group *group, unsigned int slot,
		      const struct socket_owner *server);

/* If the process that the namespace is found by has ended, choose another worker's. */
void slots_choose_hint(struct reuseport_group *group);

/* Read the slots of an adopted attachment; free those whose worker has left. */
void slots_adopt(struct reuseport_group *group);

#endif
