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
 * Put the socket "fd", a duplicate of the owner's, into the lowest free slot. -EAGAIN: it is not in
 * its group yet. -EBUSY: it is in another array. -ENOSPC: no slot is free.
 */
int slots_claim(struct reuseport_group *group, int fd, uint64_t cookie,
		const struct socket_owner *owner);

/* Free the slot of a worker that has left. */
void slots_release(struct reuseport_group *group, unsigned int slot);

/* Take a worker that has just joined out of its slot again. */
void slots_evict(struct reuseport_group *group, uint64_t cookie);

/* Record which process serves the worker, if that has changed. */
void slots_set_server(struct reuseport_group *group, unsigned int slot,
		      const struct socket_owner *server);

/* If the process that the namespace is found by has ended, choose another worker's. */
void slots_choose_hint(struct reuseport_group *group);

/* Read the slots of an adopted attachment; free those whose worker has left. */
void slots_adopt(struct reuseport_group *group);

#endif
