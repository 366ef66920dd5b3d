// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* Lookup: the sockets and groups on a packet's port, which of them the kernel
 * gives the packet to, and why not the others. */
#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "error.h"
#include "explain/lookup.h"
#include "explain/port_sockets.h"
#include "explain/route.h"
#include "sockets/group_key.h"

/* An IPv4 packet has no mapped address on the wire. */
static void unmap(struct lookup_packet *packet)
{
	if (packet->family != AF_INET6 || !score_is_mapped(packet->src) ||
	    !score_is_mapped(packet->dst))
		return;
	packet->family = AF_INET;
	memcpy(packet->src, packet->src + 12, 4);
	memcpy(packet->dst, packet->dst + 12, 4);
	memset(packet->src + 4, 0, 12);
	memset(packet->dst + 4, 0, 12);
}

static int check_packet(const struct lookup_packet *packet, struct reuseport_error *err)
{
	bool v6 = packet->family == AF_INET6;

	if (packet->proto != IPPROTO_TCP && packet->proto != IPPROTO_UDP)
		return fail(err, EINVAL, "a lookup is of a TCP or a UDP packet");
	if (!v6 && packet->family != AF_INET)
		return fail(err, EINVAL, "a packet has IPv4 or IPv6 addresses");
	if (v6 && (score_is_mapped(packet->src) || score_is_mapped(packet->dst)))
		return fail(err, EINVAL,
			    "source and destination are of two families: a packet has "
			    "IPv4 or IPv6 addresses");
	if (score_is_zero(packet->dst) || !packet->dport)
		return fail(err, EINVAL,
			    "a packet is sent to an address and a port, not to the "
			    "wildcard of a socket");
	return 0;
}

static int check_kind(const struct lookup_packet *packet, const struct netns_ref *ns, bool *local,
		      struct reuseport_error *err)
{
	char text[INET6_ADDRSTRLEN];
	enum route_kind kind;
	int ret;

	ret = route_kind(packet, ns, &kind, err);
	if (ret)
		return ret;
	*local = kind == ROUTE_LOCAL;
	if (kind != ROUTE_COPIES)
		return 0;
	inet_ntop(packet->family, packet->dst, text, sizeof(text));
	if (packet->proto == IPPROTO_TCP)
		return fail(err, EOPNOTSUPP,
			    "%s is a multicast or broadcast address: TCP packets "
			    "to it are dropped",
			    text);
	return fail(err, EOPNOTSUPP,
		    "%s is a multicast or broadcast address: every socket that "
		    "matches gets a copy, no group and no program chooses",
		    text);
}

/* ------------------------------------------------------------- sockets in */

static int read_bucket(const struct lookup_kernel *kernel, const struct lookup_packet *packet,
		       const struct netns_ref *ns, struct bucket *bucket,
		       struct reuseport_error *err)
{
	struct netns_visit visit;
	int ret;

	ret = netns_enter(ns, &visit, err);
	if (ret)
		return ret;
	ret = bucket_read(&kernel->reader, packet->proto, packet->dport, bucket, err);
	netns_leave(&visit);
	return ret;
}

/* The device counts only where a socket is bound to one. */
static int find_device(struct lookup_packet *packet, const struct netns_ref *ns,
		       const struct bucket *bucket, struct reuseport_error *err)
{
	for (size_t i = 0; !packet->ifindex && i < bucket->n; i++)
		if (bucket->sockets[i].diag.key.ifindex)
			return route_arrival(packet, ns, &packet->ifindex, err);
	return 0;
}

static struct score_socket *score_bucket(const struct lookup_packet *packet, bool hash4,
					 const struct bucket *bucket, int *winner)
{
	struct score_socket *scored = calloc(bucket->n + 1, sizeof(*scored));

	for (size_t i = 0; scored && i < bucket->n; i++) {
		const struct bucket_socket *from = &bucket->sockets[i];
		struct score_socket *to = &scored[i];

		to->family = from->diag.key.family;
		to->v6only = from->diag.key.v6only;
		to->connected = from->diag.connected;
		to->peer_port = from->diag.peer_port;
		to->ifindex = from->diag.key.ifindex;
		to->group = from->group;
		to->has_conns = from->has_conns;
		memcpy(to->addr, from->diag.key.addr, 16);
		memcpy(to->peer, from->diag.peer, 16);
	}
	if (scored)
		*winner = score_lookup(packet, hash4, scored, bucket->n);
	return scored;
}

/* --------------------------------------------------------- candidates out */

struct gathering {
	struct lookup_candidate *list;
	uint64_t *groups; /* of each candidate */
	size_t n;
	size_t *shared; /* the candidates that are not connected */
	size_t n_shared;
	int winner;
};

static bool belongs(const struct gathering *all, size_t i, const struct bucket_socket *socket)
{
	return all->groups[i] == socket->group &&
	       group_key_equal(&all->list[i].key, &socket->diag.key);
}

static struct lookup_candidate *candidate_of(struct gathering *all,
					     const struct bucket_socket *socket, uint64_t netns)
{
	struct lookup_candidate *candidate;

	for (size_t i = 0; !socket->diag.connected && i < all->n_shared; i++)
		if (belongs(all, all->shared[i], socket))
			return &all->list[all->shared[i]];
	if (!socket->diag.connected)
		all->shared[all->n_shared++] = all->n;
	all->groups[all->n] = socket->group;
	candidate = &all->list[all->n];
	*candidate = (struct lookup_candidate){
		.key = socket->diag.key,
		.group = socket->group && !socket->diag.connected,
		.connected = socket->diag.connected,
		.peer_port = socket->diag.peer_port,
		.cookie = socket->diag.cookie,
		.inode = socket->diag.inode,
		.cpu = socket->cpu,
		.place = all->n++,
	};
	candidate->key.netns = netns;
	memcpy(candidate->peer, socket->diag.peer, sizeof(candidate->peer));
	return candidate;
}

static void gather(struct gathering *all, const struct bucket *bucket,
		   const struct score_socket *scored, int winner, uint64_t netns)
{
	for (size_t i = 0; i < bucket->n; i++) {
		struct bucket_socket socket = bucket->sockets[i];
		struct lookup_candidate *candidate;

		socket.diag.key.netns = netns;
		candidate = candidate_of(all, &socket, netns);
		/* The first of them is the best placed. */
		if (candidate->sockets++ && (int)i != winner)
			continue;
		candidate->table = scored[i].table;
		candidate->reason = scored[i].reason;
		candidate->score = scored[i].score;
		candidate->cookie = socket.diag.cookie;
		candidate->inode = socket.diag.inode;
		if ((int)i == winner)
			all->winner = candidate - all->list;
	}
}

static int by_merit(const void *a, const void *b)
{
	const struct lookup_candidate *x = a, *y = b;

	if ((x->reason == LOOKUP_WINS) != (y->reason == LOOKUP_WINS))
		return x->reason == LOOKUP_WINS ? -1 : 1;
	if ((x->score.total < 0) != (y->score.total < 0))
		return x->score.total < 0 ? 1 : -1;
	if (x->table != y->table)
		return x->table < y->table ? -1 : 1;
	if (x->score.total != y->score.total)
		return x->score.total > y->score.total ? -1 : 1;
	return x->place < y->place ? -1 : x->place > y->place;
}

/* The table of tuples has an order of its own, which nothing tells. */
static bool is_contested(const struct lookup_result *result)
{
	return result->winner >= 0 && result->n > 1 && result->list[0].table == LOOKUP_TUPLE &&
	       result->list[1].table == LOOKUP_TUPLE;
}

static int make_list(const struct bucket *bucket, const struct score_socket *scored, int winner,
		     uint64_t netns, struct lookup_result *result)
{
	struct gathering all = { .winner = -1 };

	all.list = calloc(bucket->n + 1, sizeof(*all.list));
	all.groups = calloc(bucket->n + 1, sizeof(*all.groups));
	all.shared = calloc(bucket->n + 1, sizeof(*all.shared));
	if (all.list && all.groups && all.shared) {
		gather(&all, bucket, scored, winner, netns);
		qsort(all.list, all.n, sizeof(*all.list), by_merit);
		result->list = all.list;
		result->n = all.n;
		result->winner = all.winner < 0 ? -1 : 0;
		all.list = NULL;
	}
	free(all.list);
	free(all.groups);
	free(all.shared);
	return result->list ? 0 : -ENOMEM;
}

int lookup(const struct lookup_kernel *kernel, const struct lookup_packet *from,
	   const struct netns_ref *ns, struct lookup_result *result, struct reuseport_error *err)
{
	struct lookup_result found = { .winner = -1 };
	struct lookup_packet packet = *from;
	struct score_socket *scored = NULL;
	struct bucket bucket = { 0 };
	int ret, winner = -1;

	unmap(&packet);
	ret = check_packet(&packet, err);
	if (!ret)
		ret = check_kind(&packet, ns, &found.local, err);
	if (!ret)
		ret = read_bucket(kernel, &packet, ns, &bucket, err);
	if (!ret)
		ret = find_device(&packet, ns, &bucket, err);
	if (!ret) {
		scored = score_bucket(&packet, kernel->hash4, &bucket, &winner);
		if (!scored || make_list(&bucket, scored, winner, ns->inode, &found))
			ret = fail(err, ENOMEM, "out of memory");
	}
	found.ifindex = packet.ifindex;
	found.exact = bucket.exact && !is_contested(&found);
	free(scored);
	free(bucket.sockets);
	if (!ret)
		*result = found;
	return ret;
}
