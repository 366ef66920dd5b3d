/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* Worker selector: select workers by slot, pid or cookie. */
#ifndef API_WORKER_SELECTOR_H
#define API_WORKER_SELECTOR_H

#include "state/attachment.h"

enum worker_selector_kind {
	WORKER_BY_ANY, /* to be found out */
	WORKER_BY_SLOT,
	WORKER_BY_PID,
	WORKER_BY_COOKIE,
};

struct worker_selector {
	enum worker_selector_kind kind;
	uint64_t number;
};

/* Parse "slot:3", "pid:1234", "cookie:4097", or a number alone. -EINVAL. */
int worker_selector_parse(const char *text, struct worker_selector *selector,
			  struct reuseport_error *err);

/*
 * Find out what a number alone is, among the workers of all attachments.
 * -EINVAL: it is ambiguous. -ENOENT: there is no such worker.
 */
int worker_selector_find(struct worker_selector *selector, const struct attachment *list, size_t n,
			 struct reuseport_error *err);

/* Return whether the selector, once found, matches the worker in the slot. */
bool worker_selector_matches(const struct worker_selector *selector, const struct attachment *at,
			     unsigned int slot);

#endif
