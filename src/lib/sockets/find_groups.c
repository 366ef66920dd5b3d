// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* reuseport_find(): the groups on a port, or the reason why there are none. */
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "error.h"
#include "host/caps.h"
#include "item_list.h"
#include "sockets/group_key.h"
#include "sockets/left_out.h"
#include "sockets/member_check.h"
#include "sockets/pidfd_socket.h"
#include "sockets/server_hints.h"
#include "sockets/sock_diag.h"
#include "sockets/socket_owners.h"

#define FIND_ATTEMPTS 4
#define FIND_PAUSE_MS 25

/* The public list. */
struct reuseport_key_list {
	struct item_list keys;
};

static bool is_known_key(const struct item_list *keys, const struct reuseport_key *key)
{
	const struct reuseport_key *known;

	for (size_t i = 0; (known = item_list_get(keys, i)); i++)
		if (group_key_equal(known, key))
			return true;
	return false;
}

/* Add the distinct keys of the sockets that are members of a group. */
static int add_group_keys(const struct sock_diag_list *sockets, const struct member_check *check,
			  struct item_list *keys)
{
	for (size_t i = 0; i < sockets->n; i++) {
		const struct reuseport_key *key = &sockets->sockets[i].key;
		struct reuseport_key *added;

		if (!check->members[i] || is_known_key(keys, key))
			continue;
		added = item_list_add(keys, sizeof(*added));
		if (!added)
			return -ENOMEM;
		*added = *key;
	}
	return 0;
}

/* No process was found from which a socket can be had. */
static int explain_no_owner(const char *text, const struct sock_diag_socket *socket,
			    const struct socket_owners *owners, struct reuseport_error *err)
{
	char why[LEFT_OUT_TEXT];
	struct left_out left_out;

	left_out_explain(socket, owners, &left_out);
	left_out_text(&left_out, why);
	if (left_out.reason == REUSEPORT_LEFT_OUT_NO_PERMISSION)
		return fail(err, EPERM, "%s: %s; %s", text, why, caps_advice());
	/* Who has it may let itself be looked at another time. */
	return fail(err, left_out.reason ? EOPNOTSUPP : EAGAIN, "%s cannot be steered: %s", text,
		    why);
}

static int explain_no_group(const struct reuseport_filter *filter,
			    const struct sock_diag_list *sockets,
			    const struct socket_owners *owners, const struct member_check *reason,
			    struct reuseport_error *err)
{
	char text[GROUP_KEY_TEXT_LEN];

	group_key_text(&sockets->sockets[0].key, text, sizeof(text));
	if (reason->unsupported)
		return fail(err, EOPNOTSUPP, PIDFD_SOCKET_UNSUPPORTED);
	if (!reason->pid && reason->skipped)
		return fail(err, ETIMEDOUT,
			    "the process that owns %s does not let itself be inspected: end it",
			    text);
	if (!reason->pid)
		return explain_no_owner(text, &sockets->sockets[0], owners, err);
	if (filter->proto == IPPROTO_UDP && reason->reuseaddr && sockets->n > 1)
		return fail(err, EADDRINUSE,
			    "the sockets of %s share the port with SO_REUSEADDR, so only one "
			    "of them receives packets; they need SO_REUSEPORT: %s",
			    text, server_hint_reuseport(reason->comm));
	return fail(err, EOPNOTSUPP, "%s (%s, process %u) has no SO_REUSEPORT: %s", text,
		    reason->comm, reason->pid, server_hint_reuseport(reason->comm));
}

#define WHERE_MAX 96
#define NOT_STARTED " is on %s in this network namespace: start the server first, or wait for it"

static void describe_place(const struct reuseport_filter *filter, char where[WHERE_MAX])
{
	char uid[32] = "";

	if (filter->has_uid)
		snprintf(uid, sizeof(uid), " of uid %u", filter->uid);
	snprintf(where, WHERE_MAX, "port %u%s%s%s", filter->port, filter->addr ? " at " : "",
		 filter->addr ? filter->addr : "", uid);
}

static int explain_no_socket(const struct reuseport_filter *filter, struct reuseport_error *err)
{
	int other = filter->proto == IPPROTO_TCP ? IPPROTO_UDP : IPPROTO_TCP;
	struct netns_ref ns = { .inode = filter->netns };
	struct netns_visit visit;
	struct sock_diag_list sockets = { 0 };
	char where[WHERE_MAX];
	bool has_other = false;

	describe_place(filter, where);
	if (!netns_enter(&ns, &visit, NULL)) {
		has_other = !sock_diag_dump(other, filter->port, &sockets, NULL) && sockets.n;
		netns_leave(&visit);
	}
	free(sockets.sockets);
	if (has_other)
		return fail(err, ENOENT,
			    "no %s socket is on %s, but a %s socket is: select protocol %s",
			    group_key_proto_name(filter->proto), where, group_key_proto_name(other),
			    group_key_proto_name(other));
	return fail(err, ENOENT, "no %s socket" NOT_STARTED, group_key_proto_name(filter->proto),
		    where);
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
	ret = netns_cookie(&cookie, err);
	if (!ret)
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

/* Look once. *again: there are sockets, but no process owns one; it may be dying or about to
 * fork. */
static int find_once(const struct group_key_filter *filter, struct item_list *keys, bool *again,
		     struct reuseport_error *err)
{
	struct sock_diag_list sockets = { 0 };
	struct socket_owners owners = { 0 };
	struct member_check check = { 0 };
	size_t before = keys->n;
	int ret;

	ret = dump_matching(filter, &sockets, err);
	if (ret)
		return ret;
	if (!sockets.n) {
		free(sockets.sockets);
		return explain_no_socket(&filter->want, err);
	}
	ret = socket_owners_scan_members(&sockets, OWNERS_ANY, &owners);
	if (!ret)
		ret = member_check(&sockets, &owners, true, &check);
	if (!ret)
		ret = add_group_keys(&sockets, &check, keys);
	if (ret) {
		fail(err, -ret, "cannot look for the groups: %s", strerror(-ret));
	} else if (keys->n == before) {
		ret = explain_no_group(&filter->want, &sockets, &owners, &check, err);
		*again = !check.pid && !check.unsupported && (ret == -EOPNOTSUPP || ret == -EAGAIN);
	}
	member_check_free(&check);
	free(owners.list);
	free(sockets.sockets);
	return ret;
}

/* Add the groups of one protocol. */
static int find_proto(const struct group_key_filter *filter, int proto, struct item_list *keys,
		      struct reuseport_error *err)
{
	struct group_key_filter one = *filter;
	bool again = true;
	int ret = 0;

	one.want.proto = proto;
	for (int attempt = 0; again && attempt < FIND_ATTEMPTS; attempt++) {
		if (attempt)
			clock_sleep_ms(FIND_PAUSE_MS);
		again = false;
		ret = find_once(&one, keys, &again, err);
	}
	return ret;
}

/* Add the groups of both protocols. One of them may have no socket there. */
static int find_both(const struct group_key_filter *filter, struct item_list *keys,
		     struct reuseport_error *err)
{
	char where[WHERE_MAX];
	int tcp = find_proto(filter, IPPROTO_TCP, keys, err), udp;

	if (tcp && tcp != -ENOENT)
		return tcp;
	udp = find_proto(filter, IPPROTO_UDP, keys, err);
	if (udp == -ENOENT && !tcp)
		return 0;
	if (udp != -ENOENT)
		return udp;
	describe_place(&filter->want, where);
	return fail(err, ENOENT, "no tcp and no udp socket" NOT_STARTED, where);
}

int reuseport_find(const struct reuseport_filter *from, struct reuseport_key_list **keys,
		   struct reuseport_error *err)
{
	struct reuseport_key_list *found;
	struct group_key_filter filter;
	int ret = group_key_filter_place(&filter, from, "find", err);

	if (!ret && !keys)
		ret = fail(err, EINVAL, "a search needs a place for the list");
	if (!ret)
		ret = caps_require("attach", err);
	if (ret)
		return ret;
	found = calloc(1, sizeof(*found));
	if (!found)
		return fail(err, ENOMEM, "out of memory");
	ret = filter.want.proto ? find_proto(&filter, filter.want.proto, &found->keys, err) :
				  find_both(&filter, &found->keys, err);
	if (ret)
		reuseport_key_list__free(found);
	else
		*keys = found;
	return ret;
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
