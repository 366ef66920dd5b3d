/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* Workers by name: a slot, a pid or a cookie. */
#ifndef API_WORKER_SELECTOR_H
#define API_WORKER_SELECTOR_H

#include "state/attachment.h"

enum worker_selector_kind {
	WORKER_BY_ANY, /* to be resolved */
	WORKER_BY_SLOT,
	WORKER_BY_PID,
	WORKER_BY_COOKIE,
};

struct worker_selector {
	enum worker_selector_kind kind;
	uint64_t number;
};

/* "slot:3", "pid:1234", "cookie:4097", or a number alone. -EINVAL. */
int worker_selector_parse(const char *text, struct worker_selector *name,
			  struct reuseport_error *err);

/*
 * Makes out what a number alone is, among the workers of all attachments.
 * -EINVAL: it could be two. -ENOENT: there is no such worker.
 */
int worker_selector_find(struct worker_selector *name, const struct attachment *list, size_t n,
			 struct reuseport_error *err);

/* Whether the slot has a worker that is there, of that name. */
bool worker_selector_matches(const struct worker_selector *name, const struct attachment *at,
			     unsigned int slot);

#endif
