// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* Group members: the sockets of one group and the program that it has. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "error.h"
#include "sockets/group_key.h"
#include "sockets/group_members.h"

/* Return whether the first member's group is to be preferred to that of the other. */
static bool is_preferred(const struct group_member *member, const struct group_member *other,
			 uint32_t program_id)
{
	bool has = program_id && member->prog_id == program_id;
	bool other_has = other && program_id && other->prog_id == program_id;

	if (!other || has != other_has)
		return !other || has;
	return member->num_socks > other->num_socks;
}

/* Return a member of the group that the key means, NULL if there is none. Count the sockets
 * with that key, and note whether those in groups are of several users. */
static const struct group_member *choose_group(const struct reuseport_key *key, uint32_t program_id,
					       struct group_members *members)
{
	const struct sock_diag_socket *first = NULL;
	const struct group_member *chosen = NULL;

	for (size_t i = 0; i < members->on_port.n; i++) {
		const struct sock_diag_socket *socket = &members->on_port.sockets[i];
		const struct group_member *member = group_iter_find(&members->kernel,
								    socket->cookie);

		if (!group_key_equal(&socket->key, key))
			continue;
		members->on_key++;
		if (members->known && !member)
			continue;
		members->several_uids |= first && first->key.uid != socket->key.uid;
		first = socket;
		if (member && is_preferred(member, chosen, program_id))
			chosen = member;
	}
	return chosen;
}

static bool is_of_group(const struct group_members *members, const struct reuseport_key *key,
			const struct group_member *chosen, const struct sock_diag_socket *socket)
{
	const struct group_member *member = group_iter_find(&members->kernel, socket->cookie);

	if (!members->known)
		return group_key_equal(&socket->key, key);
	return chosen && member && member->group == chosen->group;
}

/* Iterators that an older version has pinned do not tell. */
static bool is_in_sockmap(const struct group_members *members, uint64_t cookie)
{
	const struct group_member *member = group_iter_find(&members->kernel, cookie);

	return member && member->user_data & SK_USER_DATA_NOCOPY &&
	       !(member->user_data & SK_USER_DATA_BPF);
}

int group_members_choose(const struct reuseport_key *key, uint32_t program_id,
			 struct group_members *members)
{
	struct sock_diag_list *to = &members->sockets;
	const struct group_member *chosen;

	free(to->sockets);
	members->on_key = members->several_uids = 0;
	members->program = (struct group_program){ 0 };
	*to = (struct sock_diag_list){ 0 };
	to->sockets = calloc(members->on_port.n + 1, sizeof(*to->sockets));
	if (!to->sockets)
		return -ENOMEM;
	chosen = choose_group(key, program_id, members);
	for (size_t i = 0; i < members->on_port.n; i++)
		if (is_of_group(members, key, chosen, &members->on_port.sockets[i]))
			to->sockets[to->n++] = members->on_port.sockets[i];
	for (size_t i = 0; i < to->n; i++)
		to->sockets[i].sockmap = is_in_sockmap(members, to->sockets[i].cookie);
	if (!chosen)
		return 0;
	members->program.present = chosen->has_prog;
	members->program.id = chosen->prog_id;
	return group_program_name(chosen->prog_id, members->program.name,
				  sizeof(members->program.name));
}

/* Read both lists of the thread's namespace. */
static int read_lists(const struct reuseport_key *key, struct group_iter *reader,
		      struct group_members *members, struct reuseport_error *err)
{
	int ret = sock_diag_dump(key->proto, key->port, &members->on_port, err);

	if (ret)
		return ret;
	if (reader)
		ret = group_iter_read(reader, key->proto, &members->kernel, err);
	members->known &= ret != -EOPNOTSUPP;
	if (ret && ret != -EOPNOTSUPP)
		return ret;
	for (size_t i = 0; i < members->on_port.n; i++)
		members->on_port.sockets[i].key.netns = key->netns;
	sock_diag_sort(&members->on_port);
	group_iter_sort(&members->kernel);
	return 0;
}

int group_members_read_port(const struct reuseport_key *key, const struct netns_ref *ns,
			    struct group_iter *reader, struct group_members *members,
			    struct reuseport_error *err)
{
	struct group_members read = { .known = reader != NULL };
	struct netns_visit visit;
	int ret = netns_enter(ns, &visit, err);

	if (ret)
		return ret;
	ret = read_lists(key, reader, &read, err);
	netns_leave(&visit);
	if (ret)
		group_members_free(&read);
	else
		*members = read;
	return ret;
}

int group_members_read(const struct reuseport_key *key, const struct netns_ref *ns,
		       struct group_iter *reader, uint32_t program_id,
		       struct group_members *members, struct reuseport_error *err)
{
	struct group_members read;
	int ret = group_members_read_port(key, ns, reader, &read, err);

	if (ret)
		return ret;
	ret = group_members_choose(key, program_id, &read);
	if (ret) {
		group_members_free(&read);
		return fail(err, -ret, "cannot choose among the groups: %s", strerror(-ret));
	}
	*members = read;
	return 0;
}

void group_members_free(struct group_members *members)
{
	free(members->on_port.sockets);
	free(members->kernel.members);
	free(members->sockets.sockets);
	*members = (struct group_members){ 0 };
}
