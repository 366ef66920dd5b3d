// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* Lookup score: find the socket on a port that the kernel's lookup gives a packet to. */
#include <netinet/in.h>
#include <string.h>

#include "sockets/lookup_score.h"

/* The score of each match. */
struct score_weights {
	int base, family, peer, device;
};

static struct score_weights score_weights_of(int proto, int family)
{
	if (proto == IPPROTO_TCP)
		return (struct score_weights){ .base = 1,
					       .family = family == AF_INET,
					       .device = 1 };
	if (family == AF_INET)
		return (struct score_weights){ .base = 1, .family = 1, .peer = 4, .device = 4 };
	return (struct score_weights){ .peer = 1, .device = 1 };
}

bool lookup_addr_is_zero(const uint8_t addr[16])
{
	static const uint8_t zero[16];

	return !memcmp(addr, zero, 16);
}

bool lookup_addr_is_mapped(const uint8_t addr[16])
{
	static const uint8_t prefix[12] = { [10] = 0xff, [11] = 0xff };

	return !memcmp(addr, prefix, sizeof(prefix));
}

/* Convert an address of a socket for comparison with packets of that family. Return
 * false if none can be equal. */
static bool comparable_addr(const struct lookup_socket *socket, const uint8_t addr[16], int family,
			    uint8_t view[16])
{
	memcpy(view, addr, 16);
	if (family == socket->family)
		return true;
	/* An IPv4 socket gets no IPv6 packets. An IPv6 socket gets IPv4 packets to its
	 * wildcard or to an address mapped into IPv6. */
	if (family == AF_INET6)
		return false;
	if (lookup_addr_is_zero(addr))
		return true;
	memset(view, 0, 16);
	memcpy(view, addr + 12, 4);
	return lookup_addr_is_mapped(addr);
}

/* Find the table in which the packet can find the socket. Return LOOKUP_WINS, or the
 * reason why there is none. */
static enum lookup_reason table_of_socket(const struct lookup_packet *packet,
					  const struct lookup_socket *socket,
					  enum lookup_table *table)
{
	uint8_t addr[16];

	*table = LOOKUP_NOWHERE;
	if (packet->has_uid && packet->uid != socket->uid)
		return LOOKUP_USER;
	if (packet->family == AF_INET && socket->family == AF_INET6 && socket->v6only)
		return LOOKUP_V6ONLY;
	if (!comparable_addr(socket, socket->addr, packet->family, addr))
		return LOOKUP_FAMILY;
	if (!memcmp(addr, packet->dst, 16))
		*table = LOOKUP_EXACT;
	else if (lookup_addr_is_zero(addr))
		*table = LOOKUP_WILDCARD;
	return *table == LOOKUP_NOWHERE ? LOOKUP_ADDR : LOOKUP_WINS;
}

/* Compute the score. Return LOOKUP_WINS, or the reason why the socket does not match. */
static enum lookup_reason match_socket(const struct lookup_packet *packet,
				       const struct lookup_socket *socket,
				       struct lookup_score *score)
{
	struct score_weights weights = score_weights_of(packet->proto, packet->family);
	uint8_t peer[16];

	score->base = weights.base;
	score->family = socket->family == AF_INET ? weights.family : 0;
	if (!comparable_addr(socket, socket->peer, packet->family, peer))
		return LOOKUP_FAMILY;
	if (!lookup_addr_is_zero(peer)) {
		if (memcmp(peer, packet->src, 16))
			return LOOKUP_PEER_ADDR;
		score->peer_addr = weights.peer;
	}
	if (socket->peer_port) {
		if (socket->peer_port != packet->sport)
			return LOOKUP_PEER_PORT;
		score->peer_port = weights.peer;
	}
	if (socket->ifindex) {
		if (socket->ifindex != packet->ifindex)
			return LOOKUP_DEVICE;
		score->device = weights.device;
	}
	score->cpu = packet->cpu >= 0 && socket->cpu == packet->cpu;
	return LOOKUP_WINS;
}

void lookup_score_socket(const struct lookup_packet *packet, struct lookup_socket *socket)
{
	struct lookup_score score = { 0 };

	socket->reason = table_of_socket(packet, socket, &socket->table);
	if (socket->reason == LOOKUP_WINS)
		socket->reason = match_socket(packet, socket, &score);
	if (socket->reason == LOOKUP_WINS)
		score.total = score.base + score.family + score.peer_addr + score.peer_port +
			      score.device + score.cpu;
	else
		score = (struct lookup_score){ .total = -1 };
	socket->score = score;
}

/* Walk through one table. Return the winner's index, -1 for none. */
static int walk_table(int proto, const struct lookup_socket *sockets, size_t n,
		      enum lookup_table table)
{
	int best = -1, winner = -1;

	for (size_t i = 0; i < n; i++) {
		if (sockets[i].table != table || sockets[i].score.total <= best)
			continue;
		best = sockets[i].score.total;
		winner = i;
		if (table == LOOKUP_TUPLE)
			break;
		if (sockets[i].group && !sockets[i].connected &&
		    (proto == IPPROTO_TCP || !sockets[i].has_conns))
			break;
	}
	return winner;
}

static enum lookup_reason reason_of_loser(const struct lookup_socket *socket,
					  const struct lookup_socket *winner)
{
	if (socket == winner)
		return LOOKUP_WINS;
	if (socket->table != winner->table)
		return LOOKUP_LATER_TABLE;
	if (socket->score.total == winner->score.total || winner->table == LOOKUP_TUPLE)
		return LOOKUP_BEHIND;
	return socket->score.total < winner->score.total ? LOOKUP_LOWER : LOOKUP_CUT_OFF;
}

int lookup_score_all(const struct lookup_packet *packet, bool tuples, struct lookup_socket *sockets,
		     size_t n)
{
	int winner = -1;

	for (size_t i = 0; i < n; i++) {
		lookup_score_socket(packet, &sockets[i]);
		if (tuples && sockets[i].connected && sockets[i].score.total >= 0 &&
		    sockets[i].table == LOOKUP_EXACT)
			sockets[i].table = LOOKUP_TUPLE;
	}
	for (enum lookup_table t = LOOKUP_TUPLE; winner < 0 && t < LOOKUP_NOWHERE; t++)
		winner = walk_table(packet->proto, sockets, n, t);
	for (size_t i = 0; winner >= 0 && i < n; i++)
		if (sockets[i].score.total >= 0)
			sockets[i].reason = reason_of_loser(&sockets[i], &sockets[winner]);
	return winner;
}

/* Return whether two winners come to the same. */
static bool same_winner(const struct lookup_socket *sockets, int one, int other)
{
	if (one == other)
		return true;
	return one >= 0 && other >= 0 && sockets[one].group &&
	       sockets[one].group == sockets[other].group && !sockets[one].connected &&
	       !sockets[other].connected;
}

bool lookup_score_by_cpu(const struct lookup_packet *packet, bool tuples,
			 struct lookup_socket *sockets, size_t n)
{
	int first = lookup_score_all(packet, tuples, sockets, n);
	bool depends = false;

	for (size_t i = 0; i < n && !depends; i++) {
		struct lookup_packet on_cpu = *packet;

		/* On the CPU of one that cannot win, or wins anyway, nothing changes. */
		if (sockets[i].cpu < 0 || sockets[i].score.total < 0 ||
		    same_winner(sockets, first, i))
			continue;
		on_cpu.cpu = sockets[i].cpu;
		depends = !same_winner(sockets, first,
				       lookup_score_all(&on_cpu, tuples, sockets, n));
	}
	lookup_score_all(packet, tuples, sockets, n);
	return depends;
}
