// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* Owner search: one scan in slices, for all that a keeper needs to know of its members. */
#include <errno.h>
#include <stdlib.h>

#include "keeper/owner_search.h"

static int begin_owner_scan(struct owner_search *search, enum owners_wanted what)
{
	struct wanted_socket *wanted = socket_owners_wanted(&search->members);
	int ret;

	if (!wanted)
		return -ENOMEM;
	ret = owner_scan_begin(wanted, search->members.n, what, &search->scan);
	free(wanted);
	return ret;
}

/* Wait for the next scan that is shared. */
static void owner_search_enlist(struct owner_search *search, enum owners_wanted what)
{
	search->what = what;
	search->waits = true;
	search->scanned = false;
	search->after = search->all->first;
	search->all->first = search;
}

static void owner_search_delist(struct owner_search *search)
{
	struct owner_search **at = search->waits ? &search->all->first : NULL;

	while (at && *at && *at != search)
		at = &(*at)->after;
	if (at && *at)
		*at = search->after;
	search->waits = search->scanned = false;
}

int owner_search_begin(struct owner_search *search, struct sock_diag_list *members,
		       enum owners_wanted what)
{
	int ret = 0;

	if (owner_search_runs(search)) {
		search->again = true;
		return 0;
	}
	search->members = *members;
	*members = (struct sock_diag_list){ 0 };
	if (search->all)
		owner_search_enlist(search, what);
	else
		ret = begin_owner_scan(search, what);
	if (ret)
		owner_search_end(search);
	return ret;
}

int owner_search_fd(const struct owner_search *search, uint64_t *until)
{
	if (!search->scan)
		return -1;
	*until = owner_scan_until(search->scan);
	return owner_scan_fd(search->scan);
}

void owner_search_wait(const struct owner_search *search)
{
	if (search->scan)
		owner_scan_wait(search->scan);
}

int owner_search_step(struct owner_search *search, unsigned int budget)
{
	int ret;

	if (search->waits)
		return 0;
	if (!search->scan)
		return owner_search_runs(search);
	ret = owner_scan_step(search->scan, budget);
	if (ret > 0) {
		owner_scan_end(search->scan, &search->owners);
		search->scan = NULL;
	}
	if (ret < 0)
		owner_search_end(search);
	return ret > 0;
}

void owner_search_end(struct owner_search *search)
{
	owner_search_delist(search);
	owner_scan_free(search->scan);
	free(search->owners.list);
	free(search->members.sockets);
	*search = (struct owner_search){ .all = search->all };
}

/* -------------------------------------------------------- a scan for several */

/* Have all that wait scanned for. Return their sockets, to be freed; NULL if out of memory. */
static struct wanted_socket *owner_search_gather(struct owner_search_all *all, size_t *n,
						 enum owners_wanted *what)
{
	struct wanted_socket *wanted;

	*n = 0;
	*what = OWNERS_ANY;
	for (struct owner_search *at = all->first; at; at = at->after)
		*n += at->members.n;
	wanted = calloc(*n + 1, sizeof(*wanted));
	*n = 0;
	for (struct owner_search *at = all->first; wanted && at; at = at->after) {
		for (size_t i = 0; i < at->members.n; i++)
			wanted[(*n)++] = (struct wanted_socket){
				at->members.sockets[i].inode,
				at->members.sockets[i].key.uid,
			};
		if (at->what == OWNERS_SERVING)
			*what = OWNERS_SERVING;
		at->scanned = true;
	}
	return wanted;
}

/* Give a search the owners of its own sockets. Return 0 or -ENOMEM. */
static int owner_search_give(struct owner_search *search, const struct socket_owners *found)
{
	const struct socket_owner *first;
	int ret = 0;

	search->owners = (struct socket_owners){ .denied = found->denied,
						 .serving = found->serving };
	for (size_t i = 0; !ret && i < search->members.n; i++) {
		size_t n = socket_owners_of(found, search->members.sockets[i].inode, &first);

		for (size_t k = 0; !ret && k < n; k++)
			ret = owner_list_add(&search->owners, &first[k]);
	}
	owner_list_sort(&search->owners);
	return ret;
}

/* The scan is over: hand out what it has found, or end the searches if it failed. */
static void owner_search_hand_out(struct owner_search_all *all, const struct socket_owners *found)
{
	struct owner_search *next;

	for (struct owner_search *at = all->first; at; at = next) {
		next = at->after;
		if (!at->scanned)
			continue;
		owner_search_delist(at);
		if (!found || owner_search_give(at, found))
			owner_search_end(at);
	}
}

static int owner_search_all_begin(struct owner_search_all *all)
{
	enum owners_wanted what;
	size_t n;
	struct wanted_socket *wanted = owner_search_gather(all, &n, &what);
	int ret = wanted ? owner_scan_begin(wanted, n, what, &all->scan) : -ENOMEM;

	free(wanted);
	return ret;
}

void owner_search_all_step(struct owner_search_all *all, unsigned int budget)
{
	struct socket_owners found;
	int ret;

	if (!all->scan && !all->first)
		return;
	ret = all->scan ? 0 : owner_search_all_begin(all);
	if (!ret)
		ret = owner_scan_step(all->scan, budget);
	if (!ret)
		return;
	if (ret > 0) {
		owner_scan_end(all->scan, &found);
		owner_search_hand_out(all, &found);
		free(found.list);
	} else {
		owner_scan_free(all->scan);
		owner_search_hand_out(all, NULL);
	}
	all->scan = NULL;
}

int owner_search_all_fd(const struct owner_search_all *all, uint64_t *until)
{
	*until = all->first ? 0 : UINT64_MAX;
	if (!all->scan)
		return -1;
	*until = owner_scan_until(all->scan);
	return owner_scan_fd(all->scan);
}

void owner_search_all_end(struct owner_search_all *all)
{
	owner_scan_free(all->scan);
	*all = (struct owner_search_all){ 0 };
}
