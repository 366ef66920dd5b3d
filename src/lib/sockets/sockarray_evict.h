/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * Take the members of a group out of another program's sockarrays, before that program
 * is replaced; put them back if the replacement fails.
 */
#ifndef SOCKETS_SOCKARRAY_EVICT_H
#define SOCKETS_SOCKARRAY_EVICT_H

#include "sockets/sock_diag.h"

struct evicted_socket {
	int map;
	uint32_t slot;
	uint64_t cookie;
};

struct sockarray_eviction {
	struct evicted_socket *list;
	size_t n, room;
	int maps[64]; /* fds of the arrays */
	size_t n_maps;
};

/*
 * Take the members out of the program's sockarrays. -EBUSY: the sockets are in no array
 * of that program, or in one that cannot be read, so that they could not be put back;
 * nothing was changed.
 */
int sockarray_evict(uint32_t program_id, const struct sock_diag_list *members,
		    struct sockarray_eviction *eviction, struct reuseport_error *err);

/* Put the members back, but for those that have closed. They must be in no other
 * array by then. */
void sockarray_evict_undo(const struct sockarray_eviction *eviction,
			  const struct sock_diag_list *members);

void sockarray_evict_free(struct sockarray_eviction *eviction);

#endif
