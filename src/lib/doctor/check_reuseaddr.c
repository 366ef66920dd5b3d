// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* Check: do UDP sockets share the port with SO_REUSEADDR alone? Then one of them gets all. */
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>

#include "doctor/checks.h"
#include "sockets/places.h"
#include "sockets/server_hints.h"
#include "sockets/socket_owners.h"

/* Return how many sockets of no group have the key of this one, which is one; 0: another one of
 * them is before it. */
static size_t count_sharers(const struct group_members *members, size_t i)
{
	const struct sock_diag_list *list = &members->on_port;
	size_t n = 0;

	for (size_t k = 0; k < list->n; k++) {
		if (!group_key_same_place(&list->sockets[k].key, &list->sockets[i].key) ||
		    group_iter_find(&members->kernel, list->sockets[k].cookie))
			continue;
		if (k < i)
			return 0;
		n++;
	}
	return n;
}

static void find_reuseaddr(struct scene *scene, const struct sock_diag_socket *socket, size_t n)
{
	const struct wanted_socket wanted = { socket->inode, socket->key.uid };
	struct socket_owners owners = { 0 };
	const struct socket_owner *first = NULL;
	struct finding *finding;
	char netns[64];

	netns_name_of(socket->key.netns, netns, sizeof(netns));
	finding = finding_add(scene->findings, "reuseaddr-only", REUSEPORT_WARNING, &socket->key,
			      netns);
	if (socket_owners_scan(&wanted, 1, OWNERS_ANY, &owners) ||
	    !socket_owners_of(&owners, socket->inode, &first))
		first = NULL;
	finding_text(finding,
		     "%zu sockets share the port with SO_REUSEADDR alone, so only the "
		     "newest gets packets; they need SO_REUSEPORT: %s.",
		     n, server_hint_reuseport(first ? first->comm : ""));
	finding_number(finding, "sockets", n);
	if (first) {
		finding_number(finding, "pid", first->pid);
		finding_words(finding, "comm", first->comm);
	}
	free(owners.list);
}

void check_reuseaddr(struct scene *scene)
{
	struct reuseport_key key = { .proto = IPPROTO_UDP,
				     .port = scene->narrow.port,
				     .netns = scene->narrow.netns,
				     .netns_cookie = scene->narrow.netns_cookie };
	const struct group_members *members;
	size_t n;

	if (!key.port || scene->narrow.proto == IPPROTO_TCP)
		return;
	if (!key.netns && netns_inode_of(NETNS_OWN_PATH, &key.netns))
		return;
	members = scene_sockets(scene, &key);
	/* Without iterators the kernel does not tell which are of a group. */
	for (size_t i = 0; members && members->known && i < members->on_port.n; i++) {
		const struct sock_diag_socket *socket = &members->on_port.sockets[i];

		if (place_is_multicast(&socket->key) ||
		    !group_key_matches(&scene->filter, &socket->key) ||
		    group_iter_find(&members->kernel, socket->cookie))
			continue;
		n = count_sharers(members, i);
		if (n > 1)
			find_reuseaddr(scene, socket, n);
	}
}
