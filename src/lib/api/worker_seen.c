// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* Workers seen: which processes have the sockets of workers open, and which one serves each. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "api/worker_seen.h"
#include "error.h"
#include "host/proc.h"
#include "sockets/sock_diag.h"
#include "sockets/socket_owners.h"

static int worker_seen_add(struct worker_seen_list *seen, uint64_t cookie,
			   const struct socket_owner *first, size_t n)
{
	struct worker_seen *worker = &seen->workers[seen->n];

	worker->owners = calloc(n, sizeof(*first));
	if (!worker->owners)
		return -ENOMEM;
	memcpy(worker->owners, first, n * sizeof(*first));
	worker->n = n;
	worker->cookie = cookie;
	worker->server = *socket_owners_server(first, n);
	seen->n++;
	return 0;
}

static int worker_seen_add_members(struct worker_seen_list *seen,
				   const struct sock_diag_list *members,
				   const struct socket_owners *owners)
{
	struct worker_seen *grown = realloc(seen->workers,
					    (seen->n + members->n + 1) * sizeof(*grown));
	const struct socket_owner *first;
	int ret = grown ? 0 : -ENOMEM;

	if (grown)
		seen->workers = grown;
	for (size_t i = 0; !ret && i < members->n; i++) {
		size_t n = socket_owners_of(owners, members->sockets[i].inode, &first);

		if (n)
			ret = worker_seen_add(seen, members->sockets[i].cookie, first, n);
	}
	return ret;
}

static int worker_seen_look_at(const struct attachment *at, struct worker_seen_list *seen)
{
	struct netns_ref ns = { .inode = at->key.netns, .cookie = at->entry.netns_cookie };
	struct sock_diag_list members = { 0 };
	struct socket_owners owners = { 0 };
	int ret = sock_diag_members(&at->key, &ns, &members, NULL);

	if (!ret)
		ret = socket_owners_scan_members(&members, OWNERS_SERVING, &owners);
	if (!ret)
		ret = worker_seen_add_members(seen, &members, &owners);
	free(owners.list);
	free(members.sockets);
	return ret;
}

int worker_seen_look(const struct attachment *list, size_t n, struct worker_seen_list *seen,
		     struct reuseport_error *err)
{
	int ret = 0;

	*seen = (struct worker_seen_list){ 0 };
	for (size_t i = 0; !error_is_limit(ret) && i < n; i++)
		ret = worker_seen_look_at(&list[i], seen);
	if (!error_is_limit(ret))
		return 0;
	worker_seen_free(seen);
	return fail(err, -ret, "cannot look which process serves a worker: %s", strerror(-ret));
}

void worker_seen_free(struct worker_seen_list *seen)
{
	for (size_t i = 0; i < seen->n; i++)
		free(seen->workers[i].owners);
	free(seen->workers);
	*seen = (struct worker_seen_list){ 0 };
}

const struct worker_seen *worker_seen_find(const struct worker_seen_list *seen, uint64_t cookie)
{
	for (size_t i = 0; i < seen->n; i++)
		if (seen->workers[i].cookie == cookie)
			return &seen->workers[i];
	return NULL;
}

bool worker_seen_is(const struct socket_owner *owner, const struct worker_name *name)
{
	char path[PROC_CGROUP_MAX];

	switch (name->kind) {
	case WORKER_BY_ANY:
	case WORKER_BY_PID:
		/* A thread with descriptors of its own is a holder, too. */
		return owner->pid == name->number || (owner->tid && owner->tid == name->number);
	case WORKER_BY_COMM:
		return !strncmp(owner->comm, name->text, sizeof(owner->comm) - 1);
	case WORKER_BY_UNIT:
	case WORKER_BY_CGROUP:
		return proc_cgroup(owner->pid, path) && worker_name_fits_cgroup(name, path);
	default:
		return false;
	}
}

bool worker_seen_is_served_by(const struct worker_seen *worker, const struct worker_name *name)
{
	return worker_seen_is(&worker->server, name);
}

bool worker_seen_is_held_by(const struct worker_seen *worker, const struct worker_name *name)
{
	for (size_t i = 0; i < worker->n; i++)
		if (worker_seen_is(&worker->owners[i], name))
			return true;
	return false;
}
