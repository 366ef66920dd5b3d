/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * Owner walk: go through the processes in /proc, in steps of bounded work, to see which
 * sockets they have open. Between two steps it keeps its place in /proc, and in a process's
 * descriptors. Where a process can hang it, it is run by a look: see owner_scan.h.
 */
#ifndef SOCKETS_OWNER_WALK_H
#define SOCKETS_OWNER_WALK_H

#include <stddef.h>
#include <stdint.h>

#include "sockets/owner_list.h"

/* A socket to look for. */
struct wanted_socket {
	uint32_t inode;
	uint32_t uid; /* its owner's, whose processes are looked at first, or alone */
};

enum owners_wanted {
	OWNERS_ANY,     /* one of each socket, at least, where there is one */
	OWNERS_SERVING, /* all, and which of them serves the socket */
};

struct owner_walk;

/* Make a walk. Return 0 or -ENOMEM. Nothing is opened until the first step. */
int owner_walk_new(const struct wanted_socket *wanted, size_t n, enum owners_wanted what,
		   struct owner_walk **walk);

/*
 * Report to a look: each owner when its process is done, and again if it is seen to serve.
 * Without one, only processes of the sockets' users are looked at.
 */
struct look_report;
void owner_walk_report_to(struct owner_walk *walk, struct look_report *report);

/*
 * Look at up to "budget" more descriptors and processes, some 8 us each. Return 1 if the walk
 * is done, 0 if there is more, or -errno. A process or a descriptor that is gone by now is no
 * error.
 *
 * An epoll set counts as many, and one may exceed what is left of the budget, by 4 ms at
 * most in a process of 100,000 descriptors. Until it is done, the walk has one or two
 * descriptors open.
 */
int owner_walk_step(struct owner_walk *walk, unsigned int budget);

/* Return what was found so far. An owner is there once for each descriptor. */
struct socket_owners *owner_walk_owners(struct owner_walk *walk);

/* Free a walk, done or not; NULL is allowed. */
void owner_walk_free(struct owner_walk *walk);

#endif
