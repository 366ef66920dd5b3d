/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* Join batch: sockets that join a group at the same time, see join.h. */
#ifndef KEEPER_JOIN_BATCH_H
#define KEEPER_JOIN_BATCH_H

#include "reuseport_bpf.h"
#include "sockets/owner_list.h"

/* A socket that was bound and is not in its group yet: a TCP socket joins when it listens. */
struct pending {
	uint64_t cookie;
	uint32_t inode;
	uint32_t pid;
	uint64_t since;
	uint64_t look_at;
	uint16_t searches;
	bool lost; /* not found in the process "pid" */
};

/* A socket that joins. */
struct join {
	uint64_t cookie;
	struct socket_owner at; /* where to look, if it is not known who has it open */
	unsigned int slot;
	/*
	 * What came of it. 0: it has its slot. -EAGAIN: it may join later. -ESTALE: no owner
	 * has it any more, or it lacks SO_REUSEPORT. -EXDEV: it is another group's. -ENOENT: it
	 * was not found where to look. -EBUSY: it is in another array. -ETIMEDOUT: its process
	 * is skipped.
	 */
	int ret;
	struct reuseport_error error;
	struct pending event; /* that it goes back to */
};

struct join_batch {
	struct reuseport_group *group;
	struct join *joins;
	size_t n;
	bool attaches; /* put the program on a group that was recreated */
	bool quiet;    /* do not log failures */
	/* Of join.c: */
	struct socket_visit *visit;
	struct look *look;
	bool over;
	size_t awaits; /* the index of the join that is about to put it there, or n */
};

/* Make a batch of up to "max" sockets. Return NULL if out of memory. */
struct join_batch *join_batch_new(struct reuseport_group *group, size_t max);

/* Free it, and give up what is not over: its slots stay reserved. NULL is allowed. */
void join_batch_free(struct join_batch *batch);

#endif
