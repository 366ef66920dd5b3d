// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* Groups as sock_diag and the sockets themselves tell of them: for kernels without
 * socket iterators. What program a group has is not to be had this way. */
#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "error.h"
#include "sockets/group_scan.h"
#include "sockets/pidfd_socket.h"
#include "sockets/sock_diag.h"
#include "sockets/socket_owners.h"

/* Members of a group have equal keys, and its first one numbers it. */
static size_t first_of(const struct group_member *members, size_t n,
		       const struct group_member *member)
{
	for (size_t i = 0; i < n; i++)
		if (members[i].proto == member->proto && members[i].family == member->family &&
		    members[i].port == member->port && members[i].ifindex == member->ifindex &&
		    members[i].v6only == member->v6only &&
		    !memcmp(members[i].addr, member->addr, sizeof(member->addr)))
			return i;
	return n;
}

static void append(struct member_list *list, const struct sock_diag_socket *socket)
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
	size_t first;

	memcpy(member.addr, socket->key.addr, sizeof(member.addr));
	first = first_of(list->members, list->n, &member);
	member.group = first + 1;
	list->members[list->n++] = member;
	list->members[first].num_socks++;
}

/* Each row tells how many members its group has. */
static void spread_counts(struct member_list *list)
{
	for (size_t i = 0; i < list->n; i++)
		list->members[i].num_socks = list->members[list->members[i].group - 1].num_socks;
}

static int read_proto(int proto, struct member_list *list, struct reuseport_error *err)
{
	struct sock_diag_list sockets = { 0 };
	struct socket_owners owners = { 0 };
	struct group_member *grown;
	int ret = sock_diag_dump(proto, 0, &sockets, err);

	if (ret)
		return ret;
	grown = realloc(list->members, (list->n + sockets.n + 1) * sizeof(*grown));
	if (grown)
		list->members = grown;
	if (!grown || socket_owners_scan_members(&sockets, &owners))
		ret = fail(err, ENOMEM, "out of memory");
	for (size_t i = 0; !ret && i < sockets.n; i++)
		if (pidfd_socket_is_member(&owners, &sockets.sockets[i], NULL) == 1)
			append(list, &sockets.sockets[i]);
	free(owners.list);
	free(sockets.sockets);
	return ret;
}

int group_scan_read(int proto, struct member_list *list, struct reuseport_error *err)
{
	int ret = 0;

	if (proto != IPPROTO_UDP)
		ret = read_proto(IPPROTO_TCP, list, err);
	if (!ret && proto != IPPROTO_TCP)
		ret = read_proto(IPPROTO_UDP, list, err);
	spread_counts(list);
	return ret;
}
