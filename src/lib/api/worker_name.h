/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* Worker names: the words by which a command names workers, "slot:3" or "unit:nginx". */
#ifndef API_WORKER_NAME_H
#define API_WORKER_NAME_H

#include "reuseport_bpf.h"

enum worker_name_kind {
	WORKER_BY_ANY, /* a number alone, to be found out */
	WORKER_BY_SLOT,
	WORKER_BY_PID,
	WORKER_BY_COOKIE,
	WORKER_BY_COMM,   /* by a process that has its socket: its name, */
	WORKER_BY_UNIT,   /* a part of its cgroup's path, with the suffix .service or without, */
	WORKER_BY_CGROUP, /* or the path, or one above it */
};

struct worker_name {
	enum worker_name_kind kind;
	uint64_t number;
	const char *text; /* of the last three kinds, */
	size_t length;    /* and of all: as it was given, for messages */
	const char *given;
	bool holders; /* a process: it serves no worker, so those count whose sockets it has open */
};

struct worker_name_list {
	struct worker_name *names;
	size_t n;
	char *words; /* what the names point into */
};

/* Read names, separated by commas. Free with worker_name_list_free(). -EINVAL: one is none. */
int worker_name_parse(const char *text, struct worker_name_list *list, struct reuseport_error *err);
void worker_name_list_free(struct worker_name_list *list);

/* Return whether processes have to be looked at to know whom it means. */
bool worker_name_is_of_process(const struct worker_name *name);

/* Return whether a cgroup's path is of that unit, or is in that cgroup. */
bool worker_name_fits_cgroup(const struct worker_name *name, const char *path);

#endif
