/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* Join request: how the helper that stands by gives one socket its slot. */
#ifndef KEEPER_JOIN_REQUEST_H
#define KEEPER_JOIN_REQUEST_H

#include "keeper/handle.h"

#define JOIN_OLDER 8

/* All that it needs, beside the array. */
struct join_request {
	struct reuseport_key key;
	struct netns_ref ns;
	uint64_t cookie;
	uint32_t slot;
	bool has_near;
	bool with_requests;           /* the maps of the socket options come with it */
	struct socket_owner at, near; /* where to look, and where one was found last */
	struct {
		uint64_t cookie;
		uint32_t slot;
	} older[JOIN_OLDER]; /* members that are there already; cookie 0: none */
	char text[GROUP_KEY_TEXT_LEN];
};

/* Fill it for the only socket of a batch. Return false if it takes a helper of its own. */
bool join_request_fill(struct join_request *request, const struct join_batch *batch);

/* In the helper that stands by. */
int join_request_serve(struct look_report *report, const void *request, const int *fds);

#endif
