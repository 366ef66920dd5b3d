// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* Worker selector: which workers are meant by names, or by a descriptor. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "api/unreached.h"
#include "api/worker_selector.h"
#include "error.h"

#ifndef SO_COOKIE
#define SO_COOKIE 57
#endif

int worker_selector_parse(const char *text, struct worker_selector *selector,
			  struct reuseport_error *err)
{
	struct worker_selector parsed = { .all = !text };
	int ret = text ? worker_name_parse(text, &parsed.names, err) : 0;

	if (!ret)
		*selector = parsed;
	return ret;
}

int worker_selector_of_fd(int fd, struct worker_selector *selector, struct reuseport_error *err)
{
	uint64_t cookie = 0;
	socklen_t len = sizeof(cookie);
	char name[32];

	if (fd == -1)
		return worker_selector_parse(NULL, selector, err);
	if (getsockopt(fd, SOL_SOCKET, SO_COOKIE, &cookie, &len))
		return fail(err, EINVAL, "descriptor %d is not a socket: %s", fd, strerror(errno));
	snprintf(name, sizeof(name), "cookie:%llu", (unsigned long long)cookie);
	return worker_selector_parse(name, selector, err);
}

void worker_selector_free(struct worker_selector *selector)
{
	worker_name_list_free(&selector->names);
	worker_seen_free(&selector->seen);
}

uint32_t worker_selector_pid(const struct worker_selector *selector,
			     const struct worker_entry *entry)
{
	const struct worker_seen *seen = worker_seen_find(&selector->seen, entry->cookie);

	return seen ? seen->server.pid : entry->pid;
}

/* ------------------------------------------------------------------ one name */

/* The workers among which a name is looked for. */
struct worker_places {
	const struct worker_selector *selector;
	const struct attachment *list;
	size_t n;
};

/* Return whether a name of a process fits; holders: also by one that does not serve it. Where the
 * processes could not be seen, what the keeper has recorded counts. */
static bool worker_fits_process(const struct worker_selector *selector,
				const struct worker_name *name, const struct worker_entry *entry,
				bool holders)
{
	const struct worker_seen *seen = worker_seen_find(&selector->seen, entry->cookie);

	if (seen)
		return holders ? worker_seen_is_held_by(seen, name) :
				 worker_seen_is_served_by(seen, name);
	if (name->kind == WORKER_BY_COMM)
		return !strncmp(entry->comm, name->text, sizeof(entry->comm) - 1);
	return name->kind == WORKER_BY_PID && name->number && entry->pid == name->number;
}

static bool worker_fits(const struct worker_selector *selector, const struct worker_name *name,
			const struct attachment *at, unsigned int slot, bool holders)
{
	const struct worker_entry *entry = &at->view.workers[slot];

	if (name->kind == WORKER_BY_SLOT)
		return slot == name->number;
	if (name->kind == WORKER_BY_COOKIE)
		return name->number && entry->cookie == name->number;
	return worker_fits_process(selector, name, entry, holders);
}

/* Return whether a name means a worker that is there. */
static bool worker_fits_any(const struct worker_places *places, const struct worker_name *name,
			    bool holders)
{
	for (size_t i = 0; i < places->n; i++)
		for (unsigned int slot = 0; slot < places->list[i].entry.slots; slot++)
			if (attachment_has_worker(&places->list[i], slot) &&
			    worker_fits(places->selector, name, &places->list[i], slot, holders))
				return true;
	return false;
}

/* Return whether two names mean the same workers. */
static bool worker_names_agree(const struct worker_places *places, const struct worker_name *a,
			       const struct worker_name *b)
{
	for (size_t i = 0; i < places->n; i++)
		for (unsigned int slot = 0; slot < places->list[i].entry.slots; slot++) {
			const struct attachment *at = &places->list[i];

			if (attachment_has_worker(at, slot) &&
			    worker_fits(places->selector, a, at, slot, a->holders) !=
				    worker_fits(places->selector, b, at, slot, b->holders))
				return false;
		}
	return true;
}

static int worker_not_found(const struct worker_name *name, struct reuseport_error *err)
{
	if (name->kind != WORKER_BY_ANY)
		return fail(err, ENOENT, "no worker has %.128s: the status shows which there are",
			    name->given);
	return fail(err, ENOENT,
		    "no worker has the slot, pid or cookie %.32s: the status shows "
		    "which there are",
		    name->given);
}

/* Find out whether the name is of one that serves, or that has a socket open. Return whether it
 * means a worker. */
static bool worker_name_settle(const struct worker_places *places, struct worker_name *name)
{
	name->holders = false;
	if (worker_fits_any(places, name, false))
		return true;
	name->holders = worker_name_is_of_process(name);
	return name->holders && worker_fits_any(places, name, true);
}

/* Find out what a number alone is. */
static int worker_number_resolve(const struct worker_places *places, struct worker_name *name,
				 struct reuseport_error *err)
{
	static const enum worker_name_kind guesses[] = { WORKER_BY_SLOT, WORKER_BY_PID,
							 WORKER_BY_COOKIE };
	struct worker_name found = { .kind = WORKER_BY_ANY };

	for (size_t i = 0; i < sizeof(guesses) / sizeof(guesses[0]); i++) {
		struct worker_name guess = *name;
		const char *number = name->given;

		guess.kind = guesses[i];
		if (!worker_name_settle(places, &guess))
			continue;
		if (found.kind != WORKER_BY_ANY && !worker_names_agree(places, &found, &guess))
			return fail(err, EINVAL,
				    "'%.32s' is ambiguous: use slot:%.32s, pid:%.32s or "
				    "cookie:%.32s",
				    number, number, number, number);
		if (found.kind == WORKER_BY_ANY)
			found = guess;
	}
	if (found.kind == WORKER_BY_ANY)
		return worker_not_found(name, err);
	*name = found;
	return 0;
}

/* ---------------------------------------------------------------- all names */

static int worker_selector_resolve(struct worker_selector *selector, const struct attachment *list,
				   size_t n, struct reuseport_error *err)
{
	const struct worker_places places = { selector, list, n };
	int ret = 0, found;

	/* All of them are settled, for who goes on although some mean nobody. */
	for (size_t i = 0; (!ret || ret == -ENOENT) && i < selector->names.n; i++) {
		struct worker_name *name = &selector->names.names[i];

		if (name->kind == WORKER_BY_ANY)
			found = worker_number_resolve(&places, name, ret ? NULL : err);
		else
			found = worker_name_settle(&places, name) ?
					0 :
					worker_not_found(name, ret ? NULL : err);
		ret = ret && found != -EINVAL ? ret : found;
	}
	return ret;
}

int worker_selector_look(struct worker_selector *selector, const struct attachment *list, size_t n,
			 struct reuseport_error *err)
{
	int ret = selector->looked ? 0 : worker_seen_look(list, n, &selector->seen, err);

	selector->looked |= !ret;
	return ret;
}

int worker_selector_find(struct worker_selector *selector, const struct attachment *list, size_t n,
			 struct reuseport_error *err)
{
	bool of_process = false;
	int ret = 0;

	for (size_t i = 0; i < selector->names.n; i++)
		of_process |= worker_name_is_of_process(&selector->names.names[i]);
	if (of_process)
		ret = worker_selector_look(selector, list, n, err);
	return ret ? ret : worker_selector_resolve(selector, list, n, err);
}

int worker_selector_unreached(const struct worker_selector *selector, const struct attachment *list,
			      size_t n, struct reuseport_error *err)
{
	const struct worker_places places = { selector, list, n };
	int ret = 0;

	for (size_t i = 0; !ret && i < selector->names.n; i++) {
		const struct worker_name *name = &selector->names.names[i];

		if (!worker_fits_any(&places, name, true))
			ret = unreached_report(list, n, name, err);
	}
	return ret ? ret : -ENOENT;
}

bool worker_selector_matches(const struct worker_selector *selector, const struct attachment *at,
			     unsigned int slot)
{
	if (!attachment_has_worker(at, slot))
		return false;
	for (size_t i = 0; i < selector->names.n; i++) {
		const struct worker_name *name = &selector->names.names[i];

		if (worker_fits(selector, name, at, slot, name->holders))
			return true;
	}
	return selector->all;
}
