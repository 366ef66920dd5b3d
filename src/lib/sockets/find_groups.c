// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* reuseport_find(): the groups on a port, and why there are none. */
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "error.h"
#include "host/caps.h"
#include "host/proc.h"
#include "item_list.h"
#include "sockets/group_key.h"
#include "sockets/pidfd_socket.h"
#include "sockets/server_hints.h"
#include "sockets/sock_diag.h"
#include "sockets/socket_owners.h"

#define LOOKS 4
#define LOOK_PAUSE_MS 25

/* The public list. */
struct reuseport_key_list {
	struct item_list keys;
};

static struct reuseport_key *find_known(const struct item_list *keys,
					const struct reuseport_key *key)
{
	struct reuseport_key *known;

	for (size_t i = 0; (known = item_list_get(keys, i)); i++)
		if (group_key_equal(known, key))
			return known;
	return NULL;
}

/* Add the distinct keys of those sockets that are members of a group. */
static int add_group_keys(const struct sock_diag_list *sockets, const struct socket_owners *h,
			  struct item_list *keys, struct pidfd_socket_reason *reason)
{
	for (size_t i = 0; i < sockets->n; i++) {
		const struct reuseport_key *key = &sockets->sockets[i].key;
		struct reuseport_key *known = find_known(keys, key);

		if (known && known->uid != key->uid)
			known->has_uid = false;
		if (known || pidfd_socket_is_member(h, &sockets->sockets[i], reason) != 1)
			continue;
		known = item_list_add(keys, sizeof(*known));
		if (!known)
			return -ENOMEM;
		*known = *key;
	}
	return 0;
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

static int dump_matching(const struct group_key_filter *filter, struct sock_diag_list *sockets,
			 struct reuseport_error *err)
{
	struct netns_ref ns = { .inode = filter->want.netns, .cookie = filter->want.netns_cookie };
	struct netns_visit visit;
	uint64_t cookie;
	size_t kept = 0;
	int ret;

	ret = netns_enter(&ns, &visit, err);
	if (ret)
		return ret;
	cookie = netns_cookie();
	ret = sock_diag_dump(filter->want.proto, filter->want.port, sockets, err);
	netns_leave(&visit);
	for (size_t i = 0; i < sockets->n; i++) {
		sockets->sockets[i].key.netns = filter->want.netns;
		sockets->sockets[i].key.netns_cookie = cookie;
		if (group_key_matches(filter, &sockets->sockets[i].key))
			sockets->sockets[kept++] = sockets->sockets[i];
	}
	sockets->n = kept;
	return ret;
}

/* One look. -EAGAIN: sockets, but no process that holds one; it may just be
 * dying, or be about to fork. */
static int look(const struct group_key_filter *filter, struct item_list *keys,
		struct reuseport_error *err)
{
	struct sock_diag_list sockets = { 0 };
	struct socket_owners owners = { 0 };
	struct pidfd_socket_reason reason = { 0 };
	int ret;

	ret = dump_matching(filter, &sockets, err);
	if (ret)
		return ret;
	if (!sockets.n) {
		free(sockets.sockets);
		return explain_empty(&filter->want, err);
	}
	ret = socket_owners_scan_members(&sockets, &owners);
	if (!ret)
		ret = add_group_keys(&sockets, &owners, keys, &reason);
	if (ret) {
		fail(err, -ret, "cannot look for the groups: %s", strerror(-ret));
	} else if (!keys->n) {
		ret = explain_none(&filter->want, &sockets, &owners, &reason, err);
		if (!reason.pid && !reason.unsupported && ret != -EPERM)
			ret = -EAGAIN;
	}
	free(owners.list);
	free(sockets.sockets);
	if (ret)
		item_list_clear(keys, NULL);
	return ret;
}

int reuseport_find(const struct reuseport_filter *from, struct reuseport_key_list **keys,
		   struct reuseport_error *err)
{
	struct reuseport_key_list *found;
	struct group_key_filter filter;
	int ret = group_key_filter_place(&filter, from, "find", err);

	if (!ret && (!filter.want.proto || !keys))
		ret = fail(err, EINVAL, "find needs a protocol and a place for the list");
	if (!ret)
		ret = caps_require("attach", err);
	if (ret)
		return ret;
	found = calloc(1, sizeof(*found));
	if (!found)
		return fail(err, ENOMEM, "out of memory");
	ret = -EAGAIN;
	for (int tries = 0; ret == -EAGAIN && tries < LOOKS; tries++) {
		if (tries)
			clock_sleep_ms(LOOK_PAUSE_MS);
		ret = look(&filter, &found->keys, err);
	}
	if (ret) {
		free(found);
		return ret == -EAGAIN ? -EOPNOTSUPP : ret;
	}
	*keys = found;
	return 0;
}

size_t reuseport_key_list__count(const struct reuseport_key_list *list)
{
	return list ? list->keys.n : 0;
}

const struct reuseport_key *reuseport_key_list__get(const struct reuseport_key_list *list, size_t i)
{
	return list ? item_list_get(&list->keys, i) : NULL;
}

void reuseport_key_list__free(struct reuseport_key_list *list)
{
	if (!list)
		return;
	item_list_clear(&list->keys, NULL);
	free(list);
}
