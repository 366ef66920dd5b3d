/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * Evict: takes the members of a group out of the sockarrays of the program that
 * is to be replaced, and puts them back if it is not.
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
 * -EBUSY: the sockets are in no array of that program, or in one that cannot be
 * read, so that they could not be put back; nothing was changed.
 */
int sockarray_evict(uint32_t program_id, const struct sock_diag_list *members,
		    struct sockarray_eviction *eviction, struct reuseport_error *err);

/* Once the sockets are in no other array. Those that left are let go. */
void sockarray_evict_undo(const struct sockarray_eviction *eviction,
			  const struct sock_diag_list *members);

void sockarray_evict_free(struct sockarray_eviction *eviction);

#endif
