// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* Worker selector: select workers by slot, pid or cookie. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "api/worker_selector.h"
#include "error.h"
#include "sockets/sock_diag.h"
#include "sockets/socket_owners.h"

static const struct {
	const char *prefix;
	enum worker_selector_kind kind;
} kinds[] = {
	{ "slot:", WORKER_BY_SLOT },
	{ "pid:", WORKER_BY_PID },
	{ "cookie:", WORKER_BY_COOKIE },
};

#define KINDS (sizeof(kinds) / sizeof(kinds[0]))

int worker_selector_parse(const char *text, struct worker_selector *selector,
			  struct reuseport_error *err)
{
	struct worker_selector parsed = { .kind = WORKER_BY_ANY };
	const char *digits = text;

	for (size_t i = 0; i < KINDS; i++) {
		size_t len = strlen(kinds[i].prefix);

		if (strncmp(text, kinds[i].prefix, len))
			continue;
		parsed.kind = kinds[i].kind;
		digits = text + len;
	}
	errno = 0;
	parsed.number = strtoull(digits, NULL, 10);
	if (!*digits || strspn(digits, "0123456789") != strlen(digits) || errno)
		return fail(err, EINVAL,
			    "'%.32s' does not select a worker: use slot:N, pid:N, cookie:N "
			    "or the number alone",
			    text);
	*selector = parsed;
	return 0;
}

/* Return whether the number is the slot, the pid or the cookie of the slot's worker. */
static bool worker_has_number(const struct attachment *at, unsigned int slot,
			      enum worker_selector_kind kind, uint64_t number)
{
	const struct worker_entry *entry = &at->view.workers[slot];

	if (kind == WORKER_BY_SLOT)
		return slot == number;
	return number && (kind == WORKER_BY_PID ? entry->pid == number : entry->cookie == number);
}

bool worker_selector_matches(const struct worker_selector *selector, const struct attachment *at,
			     unsigned int slot)
{
	return worker_has_number(at, slot, selector->kind, selector->number) &&
	       attachment_has_worker(at, slot);
}

/* Return whether a number selects the same workers by two kinds. */
static bool same_workers(const struct attachment *list, size_t n, uint64_t number,
			 enum worker_selector_kind a, enum worker_selector_kind b)
{
	for (size_t i = 0; i < n; i++)
		for (unsigned int slot = 0; slot < list[i].entry.slots; slot++)
			if (worker_has_number(&list[i], slot, a, number) !=
				    worker_has_number(&list[i], slot, b, number) &&
			    attachment_has_worker(&list[i], slot))
				return false;
	return true;
}

static void worker_selector_refresh_one(const struct attachment *at,
					const struct sock_diag_list *members,
					const struct socket_owners *owners)
{
	const struct socket_owner *first;

	/* Do not undo what others have changed meanwhile. */
	map_view_fetch(&at->view);
	for (unsigned int slot = 0; slot < at->entry.slots; slot++) {
		struct worker_entry *entry = &at->view.workers[slot];
		const struct sock_diag_socket *member = sock_diag_find(members, entry->cookie);
		size_t n = member ? socket_owners_of(owners, member->inode, &first) : 0;

		if (n)
			entry->pid = socket_owners_server(first, n)->pid;
	}
	map_view_store(&at->view);
}

/* Read again which processes serve the workers: a reload starts others, which the keeper
 * notices only from time to time. */
static void worker_selector_refresh(const struct attachment *list, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		struct netns_ref ns = { .inode = list[i].key.netns };
		struct sock_diag_list members = { 0 };
		struct socket_owners owners = { 0 };

		if (!sock_diag_members(&list[i].key, &ns, &members, NULL) &&
		    !socket_owners_scan_members(&members, &owners))
			worker_selector_refresh_one(&list[i], &members, &owners);
		free(owners.list);
		free(members.sockets);
	}
}

static bool worker_selector_matches_any(const struct attachment *list, size_t n,
					const struct worker_selector *selector)
{
	for (size_t i = 0; i < n; i++)
		for (unsigned int slot = 0; slot < list[i].entry.slots; slot++)
			if (worker_selector_matches(selector, &list[i], slot))
				return true;
	return false;
}

/* Find out the kind of a number alone. */
static int worker_selector_resolve(struct worker_selector *selector, const struct attachment *list,
				   size_t n, struct reuseport_error *err)
{
	unsigned long long number = selector->number;
	struct worker_selector found = { .kind = WORKER_BY_ANY };

	for (size_t i = 0; i < KINDS; i++) {
		struct worker_selector guess = { kinds[i].kind, number };

		if ((selector->kind != WORKER_BY_ANY && selector->kind != guess.kind) ||
		    !worker_selector_matches_any(list, n, &guess))
			continue;
		if (found.kind != WORKER_BY_ANY &&
		    !same_workers(list, n, number, found.kind, guess.kind))
			return fail(err, EINVAL,
				    "%llu is ambiguous: use slot:%llu, pid:%llu or cookie:%llu",
				    number, number, number, number);
		if (found.kind == WORKER_BY_ANY)
			found = guess;
	}
	if (found.kind == WORKER_BY_ANY)
		return fail(err, ENOENT,
			    "no worker has %s%llu: the status shows which workers there are",
			    selector->kind == WORKER_BY_ANY ? "the slot, pid or cookie " :
							      kinds[selector->kind - 1].prefix,
			    number);
	*selector = found;
	return 0;
}

int worker_selector_find(struct worker_selector *selector, const struct attachment *list, size_t n,
			 struct reuseport_error *err)
{
	int ret = worker_selector_resolve(selector, list, n, err);

	if (ret != -ENOENT)
		return ret;
	worker_selector_refresh(list, n);
	return worker_selector_resolve(selector, list, n, err);
}
