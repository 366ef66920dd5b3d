// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* Bucket: the sockets of a port, in the order in which the kernel's lookup
 * meets them. */
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "error.h"
#include "explain/port_sockets.h"
#include "sockets/group_iter.h"
#include "sockets/group_key.h"

/* ------------------------------------------- as the socket iterators tell it */

/* A socket that only one of the two has seen has just come or gone. */
static void join(struct bucket *bucket, struct sock_diag_list *list,
		 const struct member_list *members, bool by_address)
{
	sock_diag_sort(list);
	for (size_t i = 0; i < members->n; i++) {
		const struct group_member *member = &members->members[i];
		const struct sock_diag_socket *diag = sock_diag_find(list, member->cookie);

		if (diag && bucket->n < list->n)
			bucket->sockets[bucket->n++] = (struct bucket_socket){
				.diag = *diag,
				.group = member->group,
				.has_conns = member->has_conns,
				.cpu = member->cpu,
			};
	}
	bucket->exact = !list->n || list->sockets[0].key.proto == IPPROTO_TCP || by_address;
}

/* ------------------------------------------------------ as sock_diag tells it */

static uint64_t guess_group(const struct sock_diag_list *list, size_t i)
{
	const struct sock_diag_socket *socket = &list->sockets[i];

	for (size_t k = 0; k < list->n && !socket->connected; k++)
		if (k != i && !list->sockets[k].connected &&
		    group_key_equal(&list->sockets[k].key, &socket->key))
			return (k < i ? k : i) + 1;
	return 0;
}

static void guess(struct bucket *bucket, const struct sock_diag_list *list)
{
	for (size_t i = 0; i < list->n; i++)
		bucket->sockets[bucket->n++] = (struct bucket_socket){
			.diag = list->sockets[i],
			.group = guess_group(list, i),
			.cpu = -1,
		};
}

/* The order by port is newest first for all. By address, IPv6 members of a
 * group come last, oldest first. */
static int move_tail(struct bucket *bucket)
{
	struct bucket_socket *sorted = calloc(bucket->n + 1, sizeof(*sorted));
	size_t head = 0, tail = bucket->n;

	if (!sorted)
		return -ENOMEM;
	for (size_t i = 0; i < bucket->n; i++) {
		const struct bucket_socket *socket = &bucket->sockets[i];

		if (socket->diag.key.family == AF_INET6 && socket->group)
			sorted[--tail] = *socket;
		else
			sorted[head++] = *socket;
	}
	free(bucket->sockets);
	bucket->sockets = sorted;
	return 0;
}

static int arrange(const struct bucket_reader *reader, int proto, uint16_t port,
		   struct sock_diag_list *list, struct bucket *bucket)
{
	struct member_list members = { 0 };

	bucket->sockets = calloc(list->n + 1, sizeof(*bucket->sockets));
	if (!bucket->sockets)
		return -ENOMEM;
	if (reader->groups && !group_iter_read_port(reader->groups, proto, port, &members, NULL))
		join(bucket, list, &members, reader->by_address);
	else
		guess(bucket, list);
	free(members.members);
	return bucket->exact || proto == IPPROTO_TCP ? 0 : move_tail(bucket);
}

int bucket_read(const struct bucket_reader *reader, int proto, uint16_t port, struct bucket *bucket,
		struct reuseport_error *err)
{
	struct sock_diag_list list;
	int ret;

	*bucket = (struct bucket){ 0 };
	ret = sock_diag_dump_all(proto, port, &list, err);
	if (ret)
		return ret;
	ret = arrange(reader, proto, port, &list, bucket);
	free(list.sockets);
	if (!ret)
		return 0;
	free(bucket->sockets);
	*bucket = (struct bucket){ 0 };
	return fail(err, -ret, "out of memory");
}
