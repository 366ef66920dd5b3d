// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* Find the groups by sock_diag and by duplicates of their sockets, for kernels without
 * socket iterators. The program of a group is not available this way. */
#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "error.h"
#include "sockets/group_scan.h"
#include "sockets/member_check.h"
#include "sockets/sock_diag.h"
#include "sockets/socket_owners.h"

/* Return the index of the first member with the same key, which numbers the group. */
static size_t first_member(const struct group_member *members, size_t n,
			   const struct group_member *member)
{
	for (size_t i = 0; i < n; i++)
		if (members[i].proto == member->proto && members[i].family == member->family &&
		    members[i].port == member->port && members[i].ifindex == member->ifindex &&
		    members[i].v6only == member->v6only && members[i].uid == member->uid &&
		    !memcmp(members[i].addr, member->addr, sizeof(member->addr)))
			return i;
	return n;
}

static struct group_member group_scan_member(const struct sock_diag_socket *socket)
{
	struct group_member member = {
		.cookie = socket->cookie,
		.proto = socket->key.proto,
		.family = socket->key.family,
		.port = socket->key.port,
		.ifindex = socket->key.ifindex,
		.v6only = socket->key.v6only,
		.uid = socket->key.uid,
		.cpu = -1,
	};

	memcpy(member.addr, socket->key.addr, sizeof(member.addr));
	return member;
}

static void group_scan_append(struct member_list *list, const struct sock_diag_socket *socket)
{
	struct group_member member = group_scan_member(socket);
	size_t first;

	first = first_member(list->members, list->n, &member);
	member.group = first + 1;
	list->members[list->n++] = member;
	list->members[first].num_socks++;
}

/* Copy the number of members from the group's first member to each of them. */
static void spread_counts(struct member_list *list)
{
	for (size_t i = 0; i < list->n; i++)
		list->members[i].num_socks = list->members[list->members[i].group - 1].num_socks;
}

static int group_scan_grow(struct member_list *list, size_t more)
{
	struct group_member *grown = realloc(list->members, (list->n + more + 1) * sizeof(*grown));

	if (!grown)
		return -ENOMEM;
	list->members = grown;
	return 0;
}

static int scan_proto(int proto, struct member_list *list, struct member_list *unreached,
		      struct reuseport_error *err)
{
	struct sock_diag_list sockets = { 0 };
	struct socket_owners owners = { 0 };
	struct member_check check = { 0 };
	int ret = sock_diag_dump(proto, 0, &sockets, err);

	if (ret)
		return ret;
	ret = group_scan_grow(list, sockets.n);
	if (!ret)
		ret = group_scan_grow(unreached, sockets.n);
	if (!ret)
		ret = socket_owners_scan_members(&sockets, OWNERS_ANY, &owners);
	if (!ret)
		ret = member_check(&sockets, &owners, false, &check);
	for (size_t i = 0; !ret && i < sockets.n; i++)
		if (check.members[i])
			group_scan_append(list, &sockets.sockets[i]);
		else if (!check.reached[i])
			unreached->members[unreached->n++] = group_scan_member(&sockets.sockets[i]);
	if (ret)
		fail(err, -ret, "cannot look at the sockets of all processes: %s", strerror(-ret));
	member_check_free(&check);
	free(owners.list);
	free(sockets.sockets);
	return ret;
}

int group_scan_read(int proto, struct member_list *list, struct member_list *unreached,
		    struct reuseport_error *err)
{
	int ret = 0;

	if (proto != IPPROTO_UDP)
		ret = scan_proto(IPPROTO_TCP, list, unreached, err);
	if (!ret && proto != IPPROTO_TCP)
		ret = scan_proto(IPPROTO_UDP, list, unreached, err);
	spread_counts(list);
	return ret;
}
