// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* Lookup: find the sockets and groups on a packet's port, the one that the kernel gives
 * the packet to, and the reason why the others do not get it. */
#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "error.h"
#include "explain/lookup.h"
#include "explain/port_sockets.h"
#include "explain/route.h"
#include "sockets/group_key.h"

/* Turn a packet with mapped addresses into an IPv4 packet, as it is on the wire. */
static void unmap_packet(struct lookup_packet *packet)
{
	if (packet->family != AF_INET6 || !lookup_addr_is_mapped(packet->src) ||
	    !lookup_addr_is_mapped(packet->dst))
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
		return fail(err, EINVAL, "a packet must be TCP or UDP");
	if (!v6 && packet->family != AF_INET)
		return fail(err, EINVAL, "a packet must have IPv4 or IPv6 addresses");
	if (v6 && (lookup_addr_is_mapped(packet->src) || lookup_addr_is_mapped(packet->dst)))
		return fail(err, EINVAL,
			    "source and destination have different families: both must be "
			    "IPv4 or IPv6 addresses");
	if (lookup_addr_is_zero(packet->dst) || !packet->dport)
		return fail(err, EINVAL,
			    "the destination must be an address and a port, not the "
			    "wildcard of a socket");
	return 0;
}

static int check_destination(const struct lookup_packet *packet, const struct netns_ref *ns,
			     bool *local, struct reuseport_error *err)
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
			    "%s is a multicast or broadcast address: the kernel drops TCP "
			    "packets to it",
			    text);
	return fail(err, EOPNOTSUPP,
		    "%s is a multicast or broadcast address: every matching socket "
		    "gets a copy, and no group and no program decides",
		    text);
}

/* ------------------------------------------------------------- sockets in */

static int read_port(const struct lookup_kernel *kernel, const struct lookup_packet *packet,
		     const struct netns_ref *ns, struct port_sockets *on_port,
		     struct reuseport_error *err)
{
	struct netns_visit visit;
	int ret;

	ret = netns_enter(ns, &visit, err);
	if (ret)
		return ret;
	ret = port_sockets_read(&kernel->reader, packet->proto, packet->dport, on_port, err);
	netns_leave(&visit);
	return ret;
}

/* Find the arrival device, if a socket is bound to one. */
static int find_arrival(struct lookup_packet *packet, const struct netns_ref *ns,
			const struct port_sockets *on_port, struct reuseport_error *err)
{
	for (size_t i = 0; !packet->ifindex && i < on_port->n; i++)
		if (on_port->sockets[i].diag.key.ifindex)
			return route_arrival(packet, ns, &packet->ifindex, err);
	return 0;
}

static struct lookup_socket *score_port(const struct lookup_packet *packet, bool hash4,
					const struct port_sockets *on_port, int *winner,
					bool *by_cpu)
{
	struct lookup_socket *scored = calloc(on_port->n + 1, sizeof(*scored));

	for (size_t i = 0; scored && i < on_port->n; i++) {
		const struct port_socket *from = &on_port->sockets[i];
		struct lookup_socket *to = &scored[i];

		to->family = from->diag.key.family;
		to->v6only = from->diag.key.v6only;
		to->connected = from->diag.connected;
		to->peer_port = from->diag.peer_port;
		to->ifindex = from->diag.key.ifindex;
		to->cpu = from->cpu;
		to->uid = from->diag.key.uid;
		to->group = from->group;
		to->has_conns = from->has_conns;
		memcpy(to->addr, from->diag.key.addr, 16);
		memcpy(to->peer, from->diag.peer, 16);
	}
	if (scored)
		*by_cpu = packet->cpu < 0 && lookup_score_by_cpu(packet, hash4, scored, on_port->n);
	if (scored)
		*winner = lookup_score_all(packet, hash4, scored, on_port->n);
	return scored;
}

/* --------------------------------------------------------- candidates out */

/* The candidates so far. */
struct gathering {
	struct lookup_candidate *list;
	uint64_t *groups; /* of each candidate */
	size_t n;
	size_t *shared; /* the candidates that are not connected */
	size_t n_shared;
	int winner;
};

static bool belongs_to_candidate(const struct gathering *all, size_t i,
				 const struct port_socket *socket)
{
	return all->groups[i] == socket->group &&
	       group_key_equal(&all->list[i].key, &socket->diag.key);
}

static struct lookup_candidate *candidate_of(struct gathering *all,
					     const struct port_socket *socket, uint64_t netns)
{
	struct lookup_candidate *candidate;

	for (size_t i = 0; !socket->diag.connected && i < all->n_shared; i++)
		if (belongs_to_candidate(all, all->shared[i], socket))
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

static void gather(struct gathering *all, const struct port_sockets *on_port,
		   const struct lookup_socket *scored, int winner, uint64_t netns)
{
	for (size_t i = 0; i < on_port->n; i++) {
		struct port_socket socket = on_port->sockets[i];
		struct lookup_candidate *candidate;

		socket.diag.key.netns = netns;
		candidate = candidate_of(all, &socket, netns);
		/* The first socket of a candidate has the best place. */
		if (candidate->sockets++ && (int)i != winner)
			continue;
		candidate->table = scored[i].table;
		candidate->reason = scored[i].reason;
		candidate->score = scored[i].score;
		candidate->cookie = socket.diag.cookie;
		candidate->cpu = socket.cpu;
		candidate->inode = socket.diag.inode;
		candidate->transparent = socket.diag.transparent;
		if ((int)i == winner)
			all->winner = candidate - all->list;
	}
}

static int compare_candidates(const void *a, const void *b)
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

/* Return whether the order of two sockets in the table of tuples decides, which is not
 * visible. */
static bool is_contested(const struct lookup_result *result)
{
	return result->winner >= 0 && result->n > 1 && result->list[0].table == LOOKUP_TUPLE &&
	       result->list[1].table == LOOKUP_TUPLE;
}

static int list_candidates(const struct port_sockets *on_port, const struct lookup_socket *scored,
			   int winner, uint64_t netns, struct lookup_result *result)
{
	struct gathering all = { .winner = -1 };

	all.list = calloc(on_port->n + 1, sizeof(*all.list));
	all.groups = calloc(on_port->n + 1, sizeof(*all.groups));
	all.shared = calloc(on_port->n + 1, sizeof(*all.shared));
	if (all.list && all.groups && all.shared) {
		gather(&all, on_port, scored, winner, netns);
		qsort(all.list, all.n, sizeof(*all.list), compare_candidates);
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

int lookup_find(const struct lookup_kernel *kernel, const struct lookup_packet *from,
		const struct netns_ref *ns, struct lookup_result *result,
		struct reuseport_error *err)
{
	struct lookup_result found = { .winner = -1 };
	struct lookup_packet packet = *from;
	struct lookup_socket *scored = NULL;
	struct port_sockets on_port = { 0 };
	int ret, winner = -1;

	unmap_packet(&packet);
	ret = check_packet(&packet, err);
	if (!ret)
		ret = check_destination(&packet, ns, &found.local, err);
	if (!ret)
		ret = read_port(kernel, &packet, ns, &on_port, err);
	if (!ret)
		ret = find_arrival(&packet, ns, &on_port, err);
	if (!ret) {
		scored = score_port(&packet, kernel->hash4, &on_port, &winner, &found.by_cpu);
		if (!scored || list_candidates(&on_port, scored, winner, ns->inode, &found))
			ret = fail(err, ENOMEM, "out of memory");
	}
	found.ifindex = packet.ifindex;
	found.exact = on_port.exact && !is_contested(&found);
	free(scored);
	free(on_port.sockets);
	if (!ret)
		*result = found;
	return ret;
}
