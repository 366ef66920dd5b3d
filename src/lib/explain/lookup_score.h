/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * Score: which of the sockets on a port the kernel's lookup gives a packet to.
 * Pure: the sockets come in as data, in the order in which the kernel meets
 * them (bucket.h).
 *
 * Read from the kernel's source, 6.1.192 and 6.12.117, for UDP over IPv4 one
 * newer than 6.18 too; compared with real packets on 6.18:
 *
 *   TCP  net/ipv4/inet_hashtables.c  __inet_lookup_listener, inet_lhash2_lookup,
 *        net/ipv6/inet6_hashtables.c inet6_lookup_listener    compute_score
 *   UDP  net/ipv4/udp.c              __udp4_lib_lookup, udp4_lib_lookup2,
 *        net/ipv6/udp.c              __udp6_lib_lookup          compute_score
 *
 * A socket hangs in the chain of its own address and port. The kernel walks the
 * chain of the packet's destination and, only if nobody there matches, that of
 * the wildcard. The first of the highest score wins, but the walk ends at the
 * first member of a reuseport group that is better than what came before it: a
 * better one behind it in the chain is not seen. New sockets go to the head of
 * a chain, IPv6 ones with SO_REUSEPORT to its tail (__inet_hash,
 * udp_lib_get_port), a UDP socket that connect() gives an address to the head.
 *
 * Versions:
 * - The scores are the same in 6.1, 6.12 and 6.18. In older ones (5.0 to 5.14)
 *   a bound device excludes, but adds nothing.
 * - 6.13 has a table of UDP's connected sockets by the whole tuple, which is
 *   tried first (udp4_lib_lookup4, udp6_lib_lookup4) and knows no scores: the
 *   one that connected last comes first. The order of their chain stands for
 *   that here, which differs in rare cases. A socket connected a second time
 *   drops out of it unseen. Before 6.13, a group ahead of a connected socket in
 *   the chain hides it.
 * - A UDP group with a connected member does not end the walk (has_conns). That
 *   needs a member connected while bound to an address: 6.13 takes it out of
 *   the group first.
 *
 * Left out: SO_INCOMING_CPU, which adds 1 when that CPU handles the packet (the
 * kernel also sets it on a connected UDP socket, to the last packet's); VRF
 * (l3mdev_accept, the slave device); BPF_PROG_TYPE_SK_LOOKUP programs and
 * TPROXY, which come before; UDP's early demux (udp_v4_early_demux: a packet
 * from a wire goes to a connected socket without the walk if that is first in
 * the chain); the race fallbacks by port alone (udp4_lib_lookup1). A TCP packet
 * is one that no connection owns.
 */
#ifndef EXPLAIN_LOOKUP_SCORE_H
#define EXPLAIN_LOOKUP_SCORE_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* Addresses as in struct reuseport_key: IPv4 in the first four bytes, the rest zero. */
struct lookup_packet {
	int proto;  /* IPPROTO_TCP or IPPROTO_UDP */
	int family; /* AF_INET or AF_INET6, of the packet */
	uint8_t src[16], dst[16];
	uint16_t sport, dport; /* host byte order */
	uint32_t ifindex;      /* it arrives on; 0: not known */
};

/* In the order in which they are tried. */
enum lookup_table {
	LOOKUP_TUPLE,    /* connected UDP sockets by all four (6.13) */
	LOOKUP_EXACT,    /* bound to the destination address */
	LOOKUP_WILDCARD, /* bound to 0.0.0.0 or [::] */
	LOOKUP_NOWHERE,  /* in neither: bound to another address or family */
};

enum lookup_reason {
	LOOKUP_WINS,
	/* Matches, and does not get it: */
	LOOKUP_LOWER,       /* another in the same table scores more */
	LOOKUP_BEHIND,      /* as good as the winner, which the kernel meets first */
	LOOKUP_CUT_OFF,     /* better, but the walk ended at a group before it */
	LOOKUP_LATER_TABLE, /* the winner's table is tried first */
	/* Does not match, score -1: */
	LOOKUP_FAMILY,    /* an IPv4 socket or address and an IPv6 packet, or reverse */
	LOOKUP_V6ONLY,    /* an IPv4 packet and IPV6_V6ONLY */
	LOOKUP_ADDR,      /* bound to another address */
	LOOKUP_PEER_ADDR, /* connected to another address */
	LOOKUP_PEER_PORT, /* connected to another port */
	LOOKUP_DEVICE,    /* bound to another device */
};

/* The local address adds nothing: it chooses the table. */
struct lookup_score {
	int total; /* -1: does not match, and the rest is 0 */
	int base, family, peer_addr, peer_port, device;
};

struct score_socket {
	/* What the kernel looks at. */
	int family;
	bool v6only;
	bool connected;             /* UDP */
	uint8_t addr[16], peer[16]; /* peer zero: none */
	uint16_t peer_port;
	uint32_t ifindex;
	uint64_t group; /* equal for members of one reuseport group; 0: of none */
	bool has_conns; /* of that group */
	/* What comes of it. */
	enum lookup_table table;
	enum lookup_reason reason;
	struct lookup_score score;
};

/* What each match is worth. */
struct score_worth {
	int base, family, peer, device;
};

static inline struct score_worth score_worth(int proto, int family)
{
	if (proto == IPPROTO_TCP)
		return (struct score_worth){ .base = 1, .family = family == AF_INET, .device = 1 };
	if (family == AF_INET)
		return (struct score_worth){ .base = 1, .family = 1, .peer = 4, .device = 4 };
	return (struct score_worth){ .peer = 1, .device = 1 };
}

static inline bool score_is_zero(const uint8_t addr[16])
{
	static const uint8_t zero[16];

	return !memcmp(addr, zero, 16);
}

static inline bool score_is_mapped(const uint8_t addr[16])
{
	static const uint8_t prefix[12] = { [10] = 0xff, [11] = 0xff };

	return !memcmp(addr, prefix, sizeof(prefix));
}

/*
 * An address of a socket as packets of that family are compared with it. False:
 * none of them can be equal.
 */
static inline bool score_view(const struct score_socket *socket, const uint8_t addr[16], int family,
			      uint8_t view[16])
{
	memcpy(view, addr, 16);
	if (family == socket->family)
		return true;
	/* An IPv4 socket gets no IPv6 packets; an IPv6 one IPv4 packets that
	 * come to its wildcard or to an address mapped into IPv6. */
	if (family == AF_INET6)
		return false;
	if (score_is_zero(addr))
		return true;
	memset(view, 0, 16);
	memcpy(view, addr + 12, 4);
	return score_is_mapped(addr);
}

/* In which table the packet meets the socket, or why it does not. */
static inline enum lookup_reason score_table(const struct lookup_packet *packet,
					     const struct score_socket *socket,
					     enum lookup_table *table)
{
	uint8_t addr[16];

	*table = LOOKUP_NOWHERE;
	if (packet->family == AF_INET && socket->family == AF_INET6 && socket->v6only)
		return LOOKUP_V6ONLY;
	if (!score_view(socket, socket->addr, packet->family, addr))
		return LOOKUP_FAMILY;
	if (!memcmp(addr, packet->dst, 16))
		*table = LOOKUP_EXACT;
	else if (score_is_zero(addr))
		*table = LOOKUP_WILDCARD;
	return *table == LOOKUP_NOWHERE ? LOOKUP_ADDR : LOOKUP_WINS;
}

/* LOOKUP_WINS: it matches. */
static inline enum lookup_reason score_match(const struct lookup_packet *packet,
					     const struct score_socket *socket,
					     struct lookup_score *score)
{
	struct score_worth worth = score_worth(packet->proto, packet->family);
	uint8_t peer[16];

	score->base = worth.base;
	score->family = socket->family == AF_INET ? worth.family : 0;
	if (!score_view(socket, socket->peer, packet->family, peer))
		return LOOKUP_FAMILY;
	if (!score_is_zero(peer)) {
		if (memcmp(peer, packet->src, 16))
			return LOOKUP_PEER_ADDR;
		score->peer_addr = worth.peer;
	}
	if (socket->peer_port) {
		if (socket->peer_port != packet->sport)
			return LOOKUP_PEER_PORT;
		score->peer_port = worth.peer;
	}
	if (socket->ifindex) {
		if (socket->ifindex != packet->ifindex)
			return LOOKUP_DEVICE;
		score->device = worth.device;
	}
	return LOOKUP_WINS;
}

/* compute_score of one socket. */
static inline void score_socket(const struct lookup_packet *packet, struct score_socket *socket)
{
	struct lookup_score score = { 0 };

	socket->reason = score_table(packet, socket, &socket->table);
	if (socket->reason == LOOKUP_WINS)
		socket->reason = score_match(packet, socket, &score);
	if (socket->reason == LOOKUP_WINS)
		score.total = score.base + score.family + score.peer_addr + score.peer_port +
			      score.device;
	else
		score = (struct lookup_score){ .total = -1 };
	socket->score = score;
}

/* Walks one table. Returns the winner's index, -1 for none. */
static inline int score_walk(int proto, const struct score_socket *sockets, size_t n,
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

static inline enum lookup_reason score_verdict(const struct score_socket *socket,
					       const struct score_socket *winner)
{
	if (socket == winner)
		return LOOKUP_WINS;
	if (socket->table != winner->table)
		return LOOKUP_LATER_TABLE;
	if (socket->score.total == winner->score.total || winner->table == LOOKUP_TUPLE)
		return LOOKUP_BEHIND;
	return socket->score.total < winner->score.total ? LOOKUP_LOWER : LOOKUP_CUT_OFF;
}

/*
 * Fills table, reason and score of each socket. Returns the index of the one
 * that the walk ends with, of which group the kernel or a program then picks a
 * member; -1: nobody gets the packet. tuples: the kernel has that table.
 */
static inline int score_lookup(const struct lookup_packet *packet, bool tuples,
			       struct score_socket *sockets, size_t n)
{
	int winner = -1;

	for (size_t i = 0; i < n; i++) {
		score_socket(packet, &sockets[i]);
		if (tuples && sockets[i].connected && sockets[i].score.total >= 0 &&
		    sockets[i].table == LOOKUP_EXACT)
			sockets[i].table = LOOKUP_TUPLE;
	}
	for (enum lookup_table t = LOOKUP_TUPLE; winner < 0 && t < LOOKUP_NOWHERE; t++)
		winner = score_walk(packet->proto, sockets, n, t);
	for (size_t i = 0; winner >= 0 && i < n; i++)
		if (sockets[i].score.total >= 0)
			sockets[i].reason = score_verdict(&sockets[i], &sockets[winner]);
	return winner;
}

#endif
