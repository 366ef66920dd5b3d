// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* Turn members: the members of many groups, for a few turns of the host's keeper. */
#include <errno.h>
#include <stdlib.h>

#include "clock.h"
#include "error.h"
#include "keeper/turn_members.h"
#include "sockets/group_key.h"

struct turn_list {
	uint64_t inode, cookie; /* of the namespace */
	uint8_t proto;
	uint64_t at; /* when they were listed */
	int code;    /* why it could not be listed, or 0 */
	struct reuseport_error error;
	struct sock_diag_list sockets; /* sorted by cookie */
};

static struct turn_list *turn_members_find(const struct turn_members *turn, uint8_t proto,
					   const struct netns_ref *ns)
{
	for (size_t i = 0; i < turn->n; i++)
		if (turn->lists[i].inode == ns->inode && turn->lists[i].cookie == ns->cookie &&
		    turn->lists[i].proto == proto)
			return &turn->lists[i];
	return NULL;
}

static int turn_members_dump(struct turn_list *list, const struct netns_ref *ns)
{
	struct netns_visit visit;
	int ret = netns_enter(ns, &visit, &list->error);

	if (ret)
		return ret;
	ret = sock_diag_dump(list->proto, 0, &list->sockets, &list->error);
	netns_leave(&visit);
	sock_diag_sort(&list->sockets);
	return ret;
}

/* List the sockets of a namespace. Return NULL if out of memory. */
static struct turn_list *turn_members_list(struct turn_members *turn, uint8_t proto,
					   const struct netns_ref *ns)
{
	struct turn_list *lists = realloc(turn->lists, (turn->n + 1) * sizeof(*lists)), *list;

	if (!lists)
		return NULL;
	turn->lists = lists;
	list = &lists[turn->n++];
	*list = (struct turn_list){ .inode = ns->inode,
				    .cookie = ns->cookie,
				    .proto = proto,
				    .at = clock_ns(CLOCK_MONOTONIC) };
	list->code = turn_members_dump(list, ns);
	return list;
}

/* Copy those that have the key. */
static int turn_members_copy(const struct turn_list *list, const struct reuseport_key *key,
			     struct sock_diag_list *members)
{
	size_t n = 0;

	for (size_t i = 0; i < list->sockets.n; i++)
		n += list->sockets.sockets[i].key.port == key->port;
	members->sockets = calloc(n + 1, sizeof(*members->sockets));
	if (!members->sockets)
		return -ENOMEM;
	members->room = n + 1;
	for (size_t i = 0; i < list->sockets.n; i++) {
		struct sock_diag_socket socket = list->sockets.sockets[i];

		socket.key.netns = key->netns;
		if (group_key_equal(&socket.key, key))
			members->sockets[members->n++] = socket;
	}
	return 0;
}

int turn_members_of(struct turn_members *turn, const struct reuseport_key *key,
		    const struct netns_ref *ns, struct sock_diag_list *members,
		    struct reuseport_error *err)
{
	struct turn_list *list = turn_members_find(turn, key->proto, ns);

	*members = (struct sock_diag_list){ 0 };
	if (!list)
		list = turn_members_list(turn, key->proto, ns);
	if (!list || (!list->code && turn_members_copy(list, key, members)))
		return fail(err, ENOMEM, "out of memory");
	if (list->code && err)
		*err = list->error;
	return list->code;
}

void turn_members_forget_old(struct turn_members *turn)
{
	uint64_t now = clock_ns(CLOCK_MONOTONIC);
	size_t kept = 0;

	for (size_t i = 0; i < turn->n; i++) {
		if (now < turn->lists[i].at + TURN_MEMBERS_MS * CLOCK_MS)
			turn->lists[kept++] = turn->lists[i];
		else
			free(turn->lists[i].sockets.sockets);
	}
	turn->n = kept;
}

void turn_members_end(struct turn_members *turn)
{
	for (size_t i = 0; i < turn->n; i++)
		free(turn->lists[i].sockets.sockets);
	free(turn->lists);
	*turn = (struct turn_members){ 0 };
}
