/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* Worker selector: which workers are meant by names, or by a descriptor. */
#ifndef API_WORKER_SELECTOR_H
#define API_WORKER_SELECTOR_H

#include "api/worker_name.h"
#include "api/worker_seen.h"
#include "state/attachment.h"

struct worker_selector {
	bool all; /* every worker; then there are no names */
	struct worker_name_list names;
	bool looked;
	struct worker_seen_list seen; /* if so */
};

/* Read names, see worker_name.h; NULL selects every worker. Free with worker_selector_free().
 * -EINVAL: one is none. */
int worker_selector_parse(const char *text, struct worker_selector *selector,
			  struct reuseport_error *err);

/* Select the worker whose socket is fd; -1 selects every worker. -EINVAL: it is no socket. */
int worker_selector_of_fd(int fd, struct worker_selector *selector, struct reuseport_error *err);

/* Look which processes serve the workers, so that worker_selector_pid() tells them, whatever
 * the names are. */
int worker_selector_look(struct worker_selector *selector, const struct attachment *list, size_t n,
			 struct reuseport_error *err);

/*
 * Find out what the names mean, among the workers of all attachments. A name of a process means
 * those that it serves or, if it serves none, those whose sockets it has open: for that, the
 * processes are looked at. Nothing is written. -EINVAL: a number alone is ambiguous. -ENOENT: a
 * name means no worker.
 */
int worker_selector_find(struct worker_selector *selector, const struct attachment *list, size_t n,
			 struct reuseport_error *err);

/* After -ENOENT: report a name that means members without a slot. Return -ENOENT if none does. */
int worker_selector_unreached(const struct worker_selector *selector, const struct attachment *list,
			      size_t n, struct reuseport_error *err);

/* Free what parsing and looking have made. */
void worker_selector_free(struct worker_selector *selector);

/* Return the process that serves the worker, by what is known best. */
uint32_t worker_selector_pid(const struct worker_selector *selector,
			     const struct worker_entry *entry);

/* Return whether the slot has a worker that is there, and that is selected. */
bool worker_selector_matches(const struct worker_selector *selector, const struct attachment *at,
			     unsigned int slot);

#endif
