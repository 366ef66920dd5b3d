/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * Socket visit: do something with sockets of other processes, each through a duplicate of its
 * descriptor. With isolation that happens in a helper (host/look.h), one for many sockets, and
 * no other process ever has a duplicate: a call on a socket can wait for ever, and so can the
 * close of one.
 */
#ifndef SOCKETS_SOCKET_VISIT_H
#define SOCKETS_SOCKET_VISIT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "host/standby.h"
#include "reuseport_bpf.h"
#include "sockets/owner_list.h"

/* A socket, and who has it open. */
struct socket_to_visit {
	uint64_t cookie;
	const struct socket_owner *owners; /* n of them; fd -1: look for the socket there */
	size_t n, prefer;                  /* the index of the one to try first */
	unsigned int slot;                 /* for the function, as the next ones */
	int map;
	bool done; /* what came of it has been taken */
};

/* What came of one. */
struct socket_visited {
	uint32_t index;            /* of the socket */
	int32_t ret;               /* of the function or, if there is no duplicate, the reason as of
				    * pidfd_socket_get(). -ETIMEDOUT: of a process that is skipped */
	uint32_t found;            /* the function's */
	bool reached;              /* there was a duplicate */
	struct socket_owner owner; /* whose it is, or that was tried last */
	struct reuseport_error error; /* if ret is one; code 0: there is no text */
};

struct socket_visit {
	struct socket_to_visit *sockets;
	size_t n;
	/* Called in the helper. Return 0 or -errno; may fill "found" and "error". */
	int (*fn)(struct socket_visit *visit, int fd, struct socket_visited *visited);
	/* Called in this process for each socket, and again if fn told before it returned. */
	void (*take)(void *ctx, const struct socket_visited *visited);
	void *ctx;
	/* Called in the helper before a socket is visited; NULL: all are wanted. */
	bool (*wanted)(const struct socket_visit *visit, size_t index);
	bool first_only; /* one for which fn returned 0 will do */
	int keep[64];    /* the descriptors that fn needs */
	size_t n_keep;
	struct look_report *report;      /* in the helper */
	const struct socket_owner *near; /* where a descriptor was found last; NULL: nowhere */
	bool over;
	struct standby_request request; /* for the helper that stands by, if it can do it */
};

struct look;
struct sock_diag_list;
struct socket_owners;

/* Return the sockets of a list with their owners, as many as the list has, to be freed; NULL if
 * out of memory. */
struct socket_to_visit *socket_visit_list(const struct sock_diag_list *sockets,
					  const struct socket_owners *owners);

/*
 * Visit the sockets that are not done. Return 0 or -errno, as look_run(): what was taken counts
 * in any case.
 */
int socket_visit_run(struct socket_visit *visit);

/* Begin to do so beside this process, see look_begin(). The structure must stay where it is. */
int socket_visit_begin(struct socket_visit *visit, struct look **look);

/* In the helper that stands by: visit the sockets. */
int socket_visit_in_helper(struct socket_visit *visit, struct look_report *report);

/* In fn: tell what was reached so far, because what follows may hang. */
int socket_visit_tell(struct socket_visit *visit, const struct socket_visited *visited);

#endif
