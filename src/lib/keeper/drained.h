/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* Drained: whether a worker that gets nothing new has nothing queued any more. */
#ifndef KEEPER_DRAINED_H
#define KEEPER_DRAINED_H

#include "host/netns.h"
#include "state/attachment.h"

struct drained;

/* Make ready to look. Return NULL if out of memory. */
struct drained *drained_open(const struct attachment *at);
void drained_close(struct drained *drained);

/* Begin a look at all workers. Return 0, or -errno: it cannot be told now. */
int drained_begin(struct drained *drained, const struct attachment *at, const struct netns_ref *ns);
void drained_end(struct drained *drained);

/* Return whether nothing is queued or, of TCP, half open at the worker in a slot. */
bool drained_is(const struct drained *drained, unsigned int slot, uint64_t cookie);

#endif
