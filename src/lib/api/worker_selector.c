// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* Worker selector: select workers by slot, pid, cookie or descriptor. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

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
	{ "sk:", WORKER_BY_COOKIE },
};

#ifndef SO_COOKIE
#define SO_COOKIE 57
#endif

#define KINDS (sizeof(kinds) / sizeof(kinds[0]))

/* A cookie is hexadecimal as "0x2a", and after "sk:", as ss prints it. */
static bool worker_selector_parse_number(const char *digits, bool sk,
					 enum worker_selector_kind kind, uint64_t *number)
{
	bool hex = sk || (kind == WORKER_BY_COOKIE && !strncmp(digits, "0x", 2));

	if (hex && !strncmp(digits, "0x", 2))
		digits += 2;
	errno = 0;
	*number = strtoull(digits, NULL, hex ? 16 : 10);
	return *digits && !errno &&
	       strspn(digits, hex ? "0123456789abcdefABCDEF" : "0123456789") == strlen(digits);
}

int worker_selector_parse(const char *text, struct worker_selector *selector,
			  struct reuseport_error *err)
{
	struct worker_selector parsed = { .kind = WORKER_BY_ANY };
	const char *digits = text;

	if (!text) {
		*selector = (struct worker_selector){ .kind = WORKER_ALL };
		return 0;
	}
	for (size_t i = 0; i < KINDS; i++) {
		size_t len = strlen(kinds[i].prefix);

		if (strncmp(text, kinds[i].prefix, len))
			continue;
		parsed.kind = kinds[i].kind;
		digits = text + len;
	}
	if (!worker_selector_parse_number(digits, digits == text + 3, parsed.kind, &parsed.number))
		return fail(err, EINVAL,
			    "'%.32s' does not select a worker: use slot:N, pid:N, cookie:N, sk:HEX "
			    "or the number alone",
			    text);
	*selector = parsed;
	return 0;
}

int worker_selector_of_fd(int fd, struct worker_selector *selector, struct reuseport_error *err)
{
	uint64_t cookie = 0;
	socklen_t len = sizeof(cookie);

	if (fd != -1 && getsockopt(fd, SOL_SOCKET, SO_COOKIE, &cookie, &len))
		return fail(err, EINVAL, "descriptor %d is not a socket: %s", fd, strerror(errno));
	*selector = (struct worker_selector){ fd == -1 ? WORKER_ALL : WORKER_BY_COOKIE, cookie,
					      NULL, 0 };
	return 0;
}

uint32_t worker_selector_pid(const struct worker_selector *selector,
			     const struct worker_entry *entry)
{
	for (size_t i = 0; i < selector->n_seen; i++)
		if (selector->seen[i].cookie == entry->cookie)
			return selector->seen[i].pid;
	return entry->pid;
}

/* Return whether the slot's record fits a number, taken as that kind of name. */
static bool worker_selector_fits(const struct worker_selector *selector,
				 const struct attachment *at, unsigned int slot,
				 enum worker_selector_kind kind)
{
	const struct worker_entry *entry = &at->view.workers[slot];

	if (kind == WORKER_ALL)
		return true;
	if (kind == WORKER_BY_SLOT)
		return slot == selector->number;
	if (kind == WORKER_BY_PID)
		return selector->number && worker_selector_pid(selector, entry) == selector->number;
	return selector->number && entry->cookie == selector->number;
}

bool worker_selector_matches(const struct worker_selector *selector, const struct attachment *at,
			     unsigned int slot)
{
	return worker_selector_fits(selector, at, slot, selector->kind) &&
	       attachment_has_worker(at, slot);
}

/* Return whether a number means the same workers by two kinds of name. */
static bool worker_selector_agrees(const struct worker_selector *selector,
				   const struct attachment *list, size_t n,
				   enum worker_selector_kind a, enum worker_selector_kind b)
{
	for (size_t i = 0; i < n; i++)
		for (unsigned int slot = 0; slot < list[i].entry.slots; slot++)
			if (worker_selector_fits(selector, &list[i], slot, a) !=
				    worker_selector_fits(selector, &list[i], slot, b) &&
			    attachment_has_worker(&list[i], slot))
				return false;
	return true;
}

static void worker_selector_see(struct worker_selector *selector,
				const struct sock_diag_list *members,
				const struct socket_owners *owners)
{
	struct worker_server *grown = realloc(selector->seen,
					      (selector->n_seen + members->n + 1) * sizeof(*grown));
	const struct socket_owner *first;

	if (!grown)
		return;
	selector->seen = grown;
	for (size_t i = 0; i < members->n; i++) {
		size_t n = socket_owners_of(owners, members->sockets[i].inode, &first);

		if (n)
			selector->seen[selector->n_seen++] = (struct worker_server){
				.cookie = members->sockets[i].cookie,
				.pid = socket_owners_server(first, n)->pid,
			};
	}
}

/* Look which process serves which worker: the keeper does that only now and then, and
 * after a reload it is another one. */
static int worker_selector_look(struct worker_selector *selector, const struct attachment *list,
				size_t n, struct reuseport_error *err)
{
	int ret = 0;

	for (size_t i = 0; !error_is_limit(ret) && i < n; i++) {
		struct netns_ref ns = { .inode = list[i].key.netns };
		struct sock_diag_list members = { 0 };
		struct socket_owners owners = { 0 };

		ret = sock_diag_members(&list[i].key, &ns, &members, NULL);
		if (!ret)
			ret = socket_owners_scan_members(&members, OWNERS_SERVING, &owners);
		if (!ret)
			worker_selector_see(selector, &members, &owners);
		free(owners.list);
		free(members.sockets);
	}
	/* Other errors leave it as it was recorded. */
	return error_is_limit(ret) ?
		       fail(err, -ret, "cannot look which process serves a worker: %s",
			    strerror(-ret)) :
		       0;
}

static bool worker_selector_matches_any(const struct worker_selector *selector,
					enum worker_selector_kind kind,
					const struct attachment *list, size_t n)
{
	for (size_t i = 0; i < n; i++)
		for (unsigned int slot = 0; slot < list[i].entry.slots; slot++)
			if (worker_selector_fits(selector, &list[i], slot, kind) &&
			    attachment_has_worker(&list[i], slot))
				return true;
	return false;
}

static int worker_selector_not_found(const struct worker_selector *selector,
				     struct reuseport_error *err)
{
	unsigned long long number = selector->number;

	for (size_t i = 0; i < KINDS; i++)
		if (kinds[i].kind == selector->kind)
			return fail(err, ENOENT,
				    "no worker has %s%llu: the status shows which "
				    "there are",
				    kinds[i].prefix, number);
	return fail(err, ENOENT,
		    "no worker has the slot, pid or cookie %llu: the status shows "
		    "which there are",
		    number);
}

static int worker_selector_resolve(struct worker_selector *selector, const struct attachment *list,
				   size_t n, struct reuseport_error *err)
{
	enum worker_selector_kind found = WORKER_BY_ANY;
	unsigned long long number = selector->number;

	if (selector->kind == WORKER_ALL)
		return 0;
	for (size_t i = 0; i < KINDS; i++) {
		enum worker_selector_kind guess = kinds[i].kind;

		if ((selector->kind != WORKER_BY_ANY && selector->kind != guess) ||
		    !worker_selector_matches_any(selector, guess, list, n))
			continue;
		if (found != WORKER_BY_ANY &&
		    !worker_selector_agrees(selector, list, n, found, guess))
			return fail(err, EINVAL,
				    "'%llu' is ambiguous: use slot:%llu, pid:%llu or "
				    "cookie:%llu",
				    number, number, number, number);
		if (found == WORKER_BY_ANY)
			found = guess;
	}
	if (found == WORKER_BY_ANY)
		return worker_selector_not_found(selector, err);
	selector->kind = found;
	return 0;
}

/*
 * Return whether a pid selects several workers by what the keeper has recorded. Until it has
 * looked which process serves which of their shared sockets, it has the same one for all.
 */
static bool worker_selector_is_doubtful(const struct worker_selector *selector,
					const struct attachment *list, size_t n)
{
	unsigned int count = 0;

	for (size_t i = 0; selector->kind == WORKER_BY_PID && i < n; i++)
		for (unsigned int slot = 0; slot < list[i].entry.slots; slot++)
			count += worker_selector_matches(selector, &list[i], slot);
	return count > 1;
}

int worker_selector_find(struct worker_selector *selector, const struct attachment *list, size_t n,
			 struct reuseport_error *err)
{
	const enum worker_selector_kind kind = selector->kind;
	int ret = worker_selector_resolve(selector, list, n, err);

	if (ret != -ENOENT && (ret || !worker_selector_is_doubtful(selector, list, n)))
		return ret;
	selector->kind = kind;
	ret = worker_selector_look(selector, list, n, err);
	return ret ? ret : worker_selector_resolve(selector, list, n, err);
}

void worker_selector_free(struct worker_selector *selector)
{
	free(selector->seen);
	*selector = (struct worker_selector){ 0 };
}
