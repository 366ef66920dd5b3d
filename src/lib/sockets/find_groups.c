// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* Find: the groups on a port, and why there are none. */
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "error.h"
#include "host/caps.h"
#include "host/proc.h"
#include "sockets/group_key.h"
#include "sockets/pidfd_socket.h"
#include "sockets/server_hints.h"
#include "sockets/sock_diag.h"
#include "sockets/socket_owners.h"

#define LOOKS 4
#define LOOK_PAUSE_MS 25

static bool known(const struct reuseport_key *keys, size_t n, const struct reuseport_key *key)
{
	for (size_t i = 0; i < n; i++)
		if (group_key_equal(&keys[i], key))
			return true;
	return false;
}

/* The distinct keys of those sockets that are members of a group. */
static size_t group_keys(const struct sock_diag_list *sockets, const struct socket_owners *h,
			 struct reuseport_key *keys, struct pidfd_socket_reason *reason)
{
	size_t n = 0;

	for (size_t i = 0; i < sockets->n; i++)
		if (!known(keys, n, &sockets->sockets[i].key) &&
		    pidfd_socket_is_member(h, &sockets->sockets[i], reason) == 1)
			keys[n++] = sockets->sockets[i].key;
	return n;
}

static int explain_none(const struct reuseport_filter *filter, const struct sock_diag_list *sockets,
			const struct socket_owners *h, const struct pidfd_socket_reason *reason,
			struct reuseport_error *err)
{
	char text[GROUP_KEY_TEXT_LEN], comm[16];

	group_key_text(&sockets->sockets[0].key, text, sizeof(text));
	proc_comm(reason->pid, comm);
	if (reason->unsupported)
		return fail(err, EOPNOTSUPP, PIDFD_SOCKET_UNSUPPORTED);
	if (!reason->pid && (reason->denied || h->denied))
		return fail(err, EPERM,
			    "may not look into the processes that hold %s: it needs "
			    "CAP_SYS_PTRACE: run as root",
			    text);
	if (!reason->pid)
		return fail(err, EOPNOTSUPP,
			    "no process that can be seen holds %s: is it in another "
			    "PID namespace?",
			    text);
	if (filter->proto == IPPROTO_UDP && reason->reuseaddr && sockets->n > 1)
		return fail(err, EADDRINUSE,
			    "the sockets of %s share it with SO_REUSEADDR, by "
			    "which all but one starve; they need SO_REUSEPORT: %s",
			    text, server_hint_reuseport(comm));
	return fail(err, EOPNOTSUPP, "%s (%s, process %u) has no SO_REUSEPORT: %s", text, comm,
		    reason->pid, server_hint_reuseport(comm));
}

static int explain_empty(const struct reuseport_filter *filter, struct reuseport_error *err)
{
	int other = filter->proto == IPPROTO_TCP ? IPPROTO_UDP : IPPROTO_TCP;
	struct netns_ref ns = { .inode = filter->netns };
	struct netns_visit visit;
	struct sock_diag_list sockets = { 0 };
	bool has_other = false;

	if (!netns_enter(&ns, &visit, NULL)) {
		has_other = !sock_diag_dump(other, filter->port, &sockets, NULL) && sockets.n;
		netns_leave(&visit);
	}
	free(sockets.sockets);
	if (has_other)
		return fail(err, ENOENT,
			    "no %s socket is on port %u%s%s, but a %s socket is: use "
			    "--proto %s",
			    group_key_proto_name(filter->proto), filter->port,
			    filter->addr ? " at " : "", filter->addr ? filter->addr : "",
			    group_key_proto_name(other), group_key_proto_name(other));
	return fail(err, ENOENT,
		    "no %s socket is on port %u%s%s in this network namespace: start "
		    "the server first, or use --wait",
		    group_key_proto_name(filter->proto), filter->port, filter->addr ? " at " : "",
		    filter->addr ? filter->addr : "");
}

static int dump_matching(const struct reuseport_filter *filter, struct sock_diag_list *sockets,
			 struct reuseport_error *err)
{
	struct netns_ref ns = { .inode = filter->netns };
	struct group_key_filter ready;
	struct netns_visit visit;
	size_t kept = 0;
	int ret;

	ret = group_key_filter_init(&ready, filter, err);
	if (!ret)
		ret = netns_enter(&ns, &visit, err);
	if (ret)
		return ret;
	ret = sock_diag_dump(filter->proto, filter->port, sockets, err);
	netns_leave(&visit);
	for (size_t i = 0; i < sockets->n; i++) {
		sockets->sockets[i].key.netns = filter->netns;
		if (group_key_matches(&ready, &sockets->sockets[i].key))
			sockets->sockets[kept++] = sockets->sockets[i];
	}
	sockets->n = kept;
	return ret;
}

/* One look. -EAGAIN: sockets, but no process that holds one; it may just be
 * dying, or be about to fork. */
static int look(const struct reuseport_filter *filter, struct reuseport_key **keys, size_t *n,
		struct reuseport_error *err)
{
	struct sock_diag_list sockets = { 0 };
	struct socket_owners owners = { 0 };
	struct pidfd_socket_reason reason = { 0 };
	struct reuseport_key *found;
	size_t count;
	int ret;

	ret = dump_matching(filter, &sockets, err);
	if (ret)
		return ret;
	if (!sockets.n) {
		free(sockets.sockets);
		return explain_empty(filter, err);
	}
	found = calloc(sockets.n, sizeof(*found));
	ret = !found || socket_owners_scan_members(&sockets, &owners) ?
		      fail(err, ENOMEM, "out of memory") :
		      0;
	count = ret ? 0 : group_keys(&sockets, &owners, found, &reason);
	if (!ret && !count) {
		ret = explain_none(filter, &sockets, &owners, &reason, err);
		if (!reason.pid && !reason.unsupported && ret != -EPERM)
			ret = -EAGAIN;
	}
	free(owners.list);
	free(sockets.sockets);
	if (ret) {
		free(found);
		return ret;
	}
	*keys = found;
	*n = count;
	return 0;
}

int reuseport_find(const struct reuseport_filter *filter, struct reuseport_key **keys, size_t *n,
		   struct reuseport_error *err)
{
	int ret;

	if (!filter || !filter->port || !filter->proto || !filter->netns)
		return fail(err, EINVAL, "find needs a protocol, a port and a network namespace");
	ret = caps_require("attach", err);
	if (ret)
		return ret;
	ret = -EAGAIN;
	for (int tries = 0; ret == -EAGAIN && tries < LOOKS; tries++) {
		if (tries)
			clock_sleep_ms(LOOK_PAUSE_MS);
		ret = look(filter, keys, n, err);
	}
	return ret == -EAGAIN ? -EOPNOTSUPP : ret;
}
