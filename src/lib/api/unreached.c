// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* Unreached: members of an attachment's group that cannot have a slot, so that no command reaches
 * them. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "api/unreached.h"
#include "api/worker_seen.h"
#include "error.h"
#include "sockets/group_iter.h"
#include "sockets/group_members.h"
#include "sockets/socket_owners.h"
#include "state/hook_iter.h"

static bool unreached_has_slot(const struct attachment *at, uint64_t cookie)
{
	for (unsigned int slot = 0; slot < at->entry.slots; slot++)
		if (at->view.workers[slot].cookie == cookie && attachment_has_worker(at, slot))
			return true;
	return false;
}

static bool unreached_is_named(const struct worker_name *name,
			       const struct sock_diag_socket *member,
			       const struct socket_owners *owners, const struct left_out *why)
{
	struct socket_owner known = { .pid = why->pid };
	const struct socket_owner *first;
	size_t n = socket_owners_of(owners, member->inode, &first);

	if (!name)
		return true;
	if (name->number && name->number == member->cookie &&
	    (name->kind == WORKER_BY_COOKIE || name->kind == WORKER_BY_ANY))
		return true;
	for (size_t i = 0; i < n; i++)
		if (worker_seen_is(&first[i], name))
			return true;
	memcpy(known.comm, why->comm, sizeof(known.comm));
	return known.pid && worker_seen_is(&known, name);
}

/* That one is in a SOCKMAP, only the iterators tell. */
static int unreached_read(const struct attachment *at, struct group_members *members)
{
	struct netns_ref ns = { .inode = at->key.netns, .cookie = at->entry.netns_cookie };
	struct group_iter *reader = NULL;
	int ret;

	if (hook_iter_open(&reader, NULL))
		reader = NULL;
	ret = group_members_read(&at->key, &ns, reader, at->steering.program_id, members, NULL);
	group_iter_close(reader);
	return ret;
}

static void unreached_see(const struct attachment *at, const struct sock_diag_socket *member,
			  const struct socket_owners *owners, const struct worker_name *name,
			  struct unreached *found)
{
	struct left_out why;

	if (unreached_has_slot(at, member->cookie))
		return;
	left_out_explain(member, owners, &why);
	if (why.reason && unreached_is_named(name, member, owners, &why) && !found->n++)
		found->why = why;
}

void unreached_find(const struct attachment *at, const struct worker_name *name,
		    struct unreached *found)
{
	struct socket_owners owners = { 0 };
	struct group_members members;

	*found = (struct unreached){ 0 };
	if (unreached_read(at, &members))
		return;
	if (!socket_owners_scan_members(&members.sockets, OWNERS_ANY, &owners))
		for (size_t i = 0; i < members.sockets.n; i++)
			unreached_see(at, &members.sockets.sockets[i], &owners, name, found);
	free(owners.list);
	group_members_free(&members);
}

int unreached_report(const struct attachment *list, size_t n, const struct worker_name *name,
		     struct reuseport_error *err)
{
	struct unreached found;
	char why[LEFT_OUT_TEXT];

	for (size_t i = 0; i < n; i++) {
		unreached_find(&list[i], name, &found);
		if (!found.n)
			continue;
		left_out_text(&found.why, why);
		return fail(err, EOPNOTSUPP,
			    "%.64s means %zu member%s of %s without a slot, which no command "
			    "reaches: %s; nothing was changed",
			    name->given, found.n, found.n == 1 ? "" : "s", list[i].text, why);
	}
	return 0;
}
