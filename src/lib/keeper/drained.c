// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* Drained: whether a worker that gets nothing new has nothing queued any more. */
#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>

#include "keeper/drained.h"
#include "sockets/queue_depth.h"
#include "sockets/sock_diag.h"

struct drained {
	struct queue_depth_bpf
		*queues; /* of TCP; NULL: the kernel does not tell what is half open */
	struct sock_diag_list members; /* without that; sorted by cookie */
};

struct drained *drained_open(const struct attachment *at)
{
	struct drained *drained = calloc(1, sizeof(*drained));

	if (drained && at->key.proto == IPPROTO_TCP &&
	    queue_depth_open(&drained->queues, at->steering.maps[MAP_SOCKETS], NULL))
		drained->queues = NULL;
	return drained;
}

void drained_close(struct drained *drained)
{
	if (!drained)
		return;
	queue_depth_close(drained->queues);
	drained_end(drained);
	free(drained);
}

int drained_begin(struct drained *drained, const struct attachment *at, const struct netns_ref *ns)
{
	return drained->queues ? 0 : sock_diag_members(&at->key, ns, &drained->members, NULL);
}

void drained_end(struct drained *drained)
{
	free(drained->members.sockets);
	drained->members = (struct sock_diag_list){ 0 };
}

bool drained_is(const struct drained *drained, unsigned int slot, uint64_t cookie)
{
	const struct sock_diag_socket *member;
	struct queue_depth depth;

	if (drained->queues)
		return !queue_depth_read(drained->queues, slot, &depth) && depth.cookie == cookie &&
		       !depth.queue && !depth.half_open;
	member = sock_diag_find(&drained->members, cookie);
	return member && !member->queue;
}
