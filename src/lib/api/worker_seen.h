/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* Workers seen: which processes have the sockets of workers open at this moment, and which one
 * serves each. What the keeper has recorded may be some seconds old. */
#ifndef API_WORKER_SEEN_H
#define API_WORKER_SEEN_H

#include "api/worker_name.h"
#include "sockets/owner_list.h"
#include "state/attachment.h"

struct worker_seen {
	uint64_t cookie; /* of the worker */
	struct socket_owner server;
	struct socket_owner *owners; /* all that have it open */
	size_t n;
};

struct worker_seen_list {
	struct worker_seen *workers;
	size_t n;
};

/* Look. Only a limit of this process is an error: who cannot be seen is not in the list. */
int worker_seen_look(const struct attachment *list, size_t n, struct worker_seen_list *seen,
		     struct reuseport_error *err);
void worker_seen_free(struct worker_seen_list *seen);

/* Return what was seen of a worker, or NULL. */
const struct worker_seen *worker_seen_find(const struct worker_seen_list *seen, uint64_t cookie);

/* Return whether a name of a process is that of this one. */
bool worker_seen_is(const struct socket_owner *owner, const struct worker_name *name);

/* Return whether a name is that of the process that serves the worker, or of any that has its
 * socket open. For names of processes. */
bool worker_seen_is_served_by(const struct worker_seen *worker, const struct worker_name *name);
bool worker_seen_is_held_by(const struct worker_seen *worker, const struct worker_name *name);

#endif
