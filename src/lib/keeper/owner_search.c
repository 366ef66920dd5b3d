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

int owner_search_begin(struct owner_search *search, struct sock_diag_list *members,
		       enum owners_wanted what)
{
	int ret;

	if (owner_search_runs(search)) {
		search->again = true;
		return 0;
	}
	search->members = *members;
	*members = (struct sock_diag_list){ 0 };
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
	owner_scan_free(search->scan);
	free(search->owners.list);
	free(search->members.sockets);
	*search = (struct owner_search){ 0 };
}
