/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* Worker selector: select workers by slot, pid, cookie or descriptor. */
#ifndef API_WORKER_SELECTOR_H
#define API_WORKER_SELECTOR_H

#include "state/attachment.h"

enum worker_selector_kind {
	WORKER_BY_ANY, /* to be found out */
	WORKER_ALL,
	WORKER_BY_SLOT,
	WORKER_BY_PID,
	WORKER_BY_COOKIE,
};

/* The process that serves a worker, as just seen. */
struct worker_server {
	uint64_t cookie; /* of the worker */
	uint32_t pid;
};

struct worker_selector {
	enum worker_selector_kind kind;
	uint64_t number;
	/* Where the records were not enough: what a look has shown. It counts before them. */
	struct worker_server *seen;
	size_t n_seen;
};

/* Read "slot:3", "pid:1234", "cookie:4097", or a number alone; NULL selects every worker.
 * -EINVAL: it is none of these. */
int worker_selector_parse(const char *text, struct worker_selector *selector,
			  struct reuseport_error *err);

/* Select the worker whose socket is fd; -1 selects every worker. -EINVAL: it is no socket. */
int worker_selector_of_fd(int fd, struct worker_selector *selector, struct reuseport_error *err);

/*
 * Find out what a number alone means, among the workers of all attachments. Nothing is
 * written: what a look at the processes shows stays in the selector.
 * -EINVAL: it is ambiguous. -ENOENT: there is no such worker.
 */
int worker_selector_find(struct worker_selector *selector, const struct attachment *list, size_t n,
			 struct reuseport_error *err);

/* Free what a look has shown. */
void worker_selector_free(struct worker_selector *selector);

/* Return the process that serves the worker, by what is known best. */
uint32_t worker_selector_pid(const struct worker_selector *selector,
			     const struct worker_entry *entry);

/* Return whether the slot has a worker that is there, and that is selected. */
bool worker_selector_matches(const struct worker_selector *selector, const struct attachment *at,
			     unsigned int slot);

#endif
