// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* Port sockets: read the sockets on a port, in the order of the kernel's lookup. */
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "error.h"
#include "explain/port_sockets.h"
#include "sockets/group_iter.h"
#include "sockets/group_key.h"

/* ---------------------------------------------------- with socket iterators */

/* Join both lists. A socket that is in one of them only has just come or gone. */
static void join_lists(struct port_sockets *on_port, struct sock_diag_list *list,
		       const struct member_list *members, bool by_address)
{
	sock_diag_sort(list);
	for (size_t i = 0; i < members->n; i++) {
		const struct group_member *member = &members->members[i];
		const struct sock_diag_socket *diag = sock_diag_find(list, member->cookie);

		if (diag && on_port->n < list->n)
			on_port->sockets[on_port->n++] = (struct port_socket){
				.diag = *diag,
				.group = member->group,
				.has_conns = member->has_conns,
				.cpu = member->cpu,
			};
	}
	on_port->exact = !list->n || list->sockets[0].key.proto == IPPROTO_TCP || by_address;
}

/* ----------------------------------------------------------- by sock_diag alone */

static uint64_t guess_group(const struct sock_diag_list *list, size_t i)
{
	const struct sock_diag_socket *socket = &list->sockets[i];

	for (size_t k = 0; k < list->n && !socket->connected; k++)
		if (k != i && !list->sockets[k].connected &&
		    group_key_equal(&list->sockets[k].key, &socket->key))
			return (k < i ? k : i) + 1;
	return 0;
}

static void guess_order(struct port_sockets *on_port, const struct sock_diag_list *list)
{
	for (size_t i = 0; i < list->n; i++)
		on_port->sockets[on_port->n++] = (struct port_socket){
			.diag = list->sockets[i],
			.group = guess_group(list, i),
			.cpu = -1,
		};
}

static int arrange_sockets(const struct port_sockets_reader *reader, int proto, uint16_t port,
			   struct sock_diag_list *list, struct port_sockets *on_port)
{
	struct member_list members = { 0 };
	int ret = -EOPNOTSUPP;

	on_port->sockets = calloc(list->n + 1, sizeof(*on_port->sockets));
	if (!on_port->sockets)
		return -ENOMEM;
	if (reader->groups)
		ret = group_iter_read_port(reader->groups, proto, port, &members, NULL);
	if (!ret)
		join_lists(on_port, list, &members, reader->by_address);
	else
		guess_order(on_port, list);
	free(members.members);
	if (error_is_limit(ret))
		return ret;
	return 0;
}

int port_sockets_read(const struct port_sockets_reader *reader, int proto, uint16_t port,
		      struct port_sockets *on_port, struct reuseport_error *err)
{
	struct sock_diag_list list;
	int ret;

	*on_port = (struct port_sockets){ 0 };
	ret = sock_diag_dump_all(proto, port, &list, err);
	if (ret)
		return ret;
	ret = arrange_sockets(reader, proto, port, &list, on_port);
	free(list.sockets);
	if (!ret)
		return 0;
	free(on_port->sockets);
	*on_port = (struct port_sockets){ 0 };
	return fail(err, -ret, "cannot read the sockets on port %u: %s", port, strerror(-ret));
}
