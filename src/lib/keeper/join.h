/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * Join: give sockets a slot of a group, many at a time. A socket is duplicated, checked and put
 * into the array in a helper (sockets/socket_visit.h), beside this process; this one reserves
 * the slots before and confirms them afterwards. If the group was recreated, the helper puts the
 * program on it again.
 */
#ifndef KEEPER_JOIN_H
#define KEEPER_JOIN_H

#include "keeper/handle.h"
#include "keeper/join_batch.h"
#include "sockets/socket_owners.h"

/*
 * Add a socket, with the processes that have it open; the one that serves it is preferred. The
 * list must stay until the end. Return 0 or -errno, as slots_reserve(): then it was not added.
 */
int join_batch_add(struct join_batch *batch, uint64_t cookie, const struct socket_owner *owners,
		   size_t n);

/* Add a socket that is looked for among the newest descriptors of a process. */
int join_batch_add_of(struct join_batch *batch, uint64_t cookie, uint32_t inode, uint32_t pid);

/* Explain that no slot is free. Return -ENOSPC. */
int join_explain_full(const struct reuseport_group *group, struct reuseport_error *err);

/* Begin. Return 0, also if it is over at once, or -errno: none could join, and may later. */
int join_batch_begin(struct join_batch *batch);

/* Do what there is to do. Return whether it is over: then each join has its "ret". */
bool join_batch_step(struct join_batch *batch);

/* As look_fd() and look_until(); -1 if it is over. */
int join_batch_fd(const struct join_batch *batch, uint64_t *until);
void join_batch_wait(const struct join_batch *batch);

/* Begin, and wait for the end. */
int join_batch_run(struct join_batch *batch);

#endif
