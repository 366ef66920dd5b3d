/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * Lookup score: find the socket on a port that the kernel's lookup gives a packet to.
 * Pure: the input is a list of sockets in the order of the kernel's lookup
 * (explain/port_sockets.h).
 *
 * This follows the kernel's source, 6.1.192 and 6.12.117, for UDP over IPv4 also a
 * version after 6.18, and was compared with real packets on 6.18:
 *
 *   TCP  net/ipv4/inet_hashtables.c  __inet_lookup_listener, inet_lhash2_lookup,
 *        net/ipv6/inet6_hashtables.c inet6_lookup_listener    compute_score
 *   UDP  net/ipv4/udp.c              __udp4_lib_lookup, udp4_lib_lookup2,
 *        net/ipv6/udp.c              __udp6_lib_lookup          compute_score
 *
 * A socket is in the chain of its address and port. The kernel walks the chain of the
 * packet's destination, and the wildcard's only if no socket there matches. The first
 * socket with the highest score wins. But the walk ends at the first member of a
 * reuseport group that scores higher than all sockets before it: the kernel does not
 * see a better one behind it. New sockets go to the head of a chain, IPv6 ones with
 * SO_REUSEPORT to its tail (__inet_hash, udp_lib_get_port), and a UDP socket that
 * connect() gives an address to the head.
 *
 * Versions:
 * - The scores are the same in 6.1, 6.12 and 6.18. In older ones (5.0 to 5.14)
 *   a bound device excludes, but adds nothing.
 * - 6.13 has a table of connected UDP sockets by 4-tuple, which it looks at first
 *   (udp4_lib_lookup4, udp6_lib_lookup4). That table has no scores: the socket that
 *   connected last comes first. The order of the chain stands in for this here, which
 *   is wrong in rare cases. A socket that connects a second time disappears from the
 *   table. Before 6.13, a group ahead of a connected socket in the chain hides it.
 * - A UDP group with a connected member does not end the walk (has_conns). This
 *   needs a member that was connected while bound to an address: 6.13 takes it out of
 *   the group first.
 *
 * SO_INCOMING_CPU adds 1 if that CPU handles the packet. The kernel also sets it on a connected
 * UDP socket, to the last packet's CPU, and leaves it there when the socket disconnects; what a
 * listener or a UDP socket that is not connected receives leaves it alone (seen on 6.18).
 *
 * Left out: VRF
 * (l3mdev_accept, the slave device); BPF_PROG_TYPE_SK_LOOKUP programs and TPROXY, which
 * come first; UDP's early demux (udp_v4_early_demux: a packet from a wire goes to a
 * connected socket without the walk, if that is first in the chain); the lookups by
 * port alone after a race (udp4_lib_lookup1). A TCP packet here belongs to no
 * connection.
 */
#ifndef SOCKETS_LOOKUP_SCORE_H
#define SOCKETS_LOOKUP_SCORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Addresses as in struct reuseport_key: IPv4 in the first four bytes, the rest zero. */
struct lookup_packet {
	int proto;  /* IPPROTO_TCP or IPPROTO_UDP */
	int family; /* AF_INET or AF_INET6, of the packet */
	uint8_t src[16], dst[16];
	uint16_t sport, dport; /* host byte order */
	uint32_t ifindex;      /* of the arrival device; 0: not known */
	int32_t cpu;           /* that handles it; -1: not known, and no socket has it */
	uint32_t uid;          /* only sockets of this user count, if has_uid */
	bool has_uid;
};

/* In the order of the kernel's lookup. */
enum lookup_table {
	LOOKUP_TUPLE,    /* connected UDP sockets by 4-tuple (6.13) */
	LOOKUP_EXACT,    /* bound to the destination address */
	LOOKUP_WILDCARD, /* bound to 0.0.0.0 or [::] */
	LOOKUP_NOWHERE,  /* in none: bound to another address or family */
};

enum lookup_reason {
	LOOKUP_WINS,
	/* Matches, but does not get the packet: */
	LOOKUP_LOWER,       /* another socket in the same table scores higher */
	LOOKUP_BEHIND,      /* scores the same, but the kernel finds the winner first */
	LOOKUP_CUT_OFF,     /* scores higher, but the walk ended at a group before it */
	LOOKUP_LATER_TABLE, /* the kernel looks in the winner's table first */
	/* Does not match, score -1: */
	LOOKUP_FAMILY,    /* an IPv4 socket or address and an IPv6 packet, or vice versa */
	LOOKUP_V6ONLY,    /* an IPv4 packet and IPV6_V6ONLY */
	LOOKUP_ADDR,      /* bound to another address */
	LOOKUP_PEER_ADDR, /* connected to another address */
	LOOKUP_PEER_PORT, /* connected to another port */
	LOOKUP_DEVICE,    /* bound to another device */
	LOOKUP_USER,      /* of another user than the one asked for */
};

/* A socket's score. The local address adds nothing: it selects the table. */
struct lookup_score {
	int total; /* -1: does not match, and the rest is 0 */
	int base, family, peer_addr, peer_port, device, cpu;
};

/* A socket on the port. */
struct lookup_socket {
	/* Input: what the kernel looks at. */
	int family;
	bool v6only;
	bool connected;             /* UDP */
	uint8_t addr[16], peer[16]; /* peer zero: none */
	uint16_t peer_port;
	uint32_t ifindex;
	int32_t cpu; /* SO_INCOMING_CPU, -1 for none */
	uint32_t uid;
	uint64_t group; /* equal for members of one reuseport group; 0: no group */
	bool has_conns; /* of that group */
	/* Output. */
	enum lookup_table table;
	enum lookup_reason reason;
	struct lookup_score score;
};

/* Return whether the address is 0.0.0.0 or ::, or an IPv4 address mapped into IPv6. */
bool lookup_addr_is_zero(const uint8_t addr[16]);
bool lookup_addr_is_mapped(const uint8_t addr[16]);

/* Fill table, reason and score of one socket, as compute_score() does. */
void lookup_score_socket(const struct lookup_packet *packet, struct lookup_socket *socket);

/*
 * Fill table, reason and score of each socket. Return the index of the socket at which
 * the kernel's walk ends; if it is in a group, the kernel or a program then picks a
 * member. -1: no socket gets the packet. tuples: the kernel has LOOKUP_TUPLE.
 */
int lookup_score_all(const struct lookup_packet *packet, bool tuples, struct lookup_socket *sockets,
		     size_t n);

/* Return whether, on some CPU, a socket of another group than the winner's wins, or another one
 * without a group. What was filled is filled anew, for the packet as it is. */
bool lookup_score_by_cpu(const struct lookup_packet *packet, bool tuples,
			 struct lookup_socket *sockets, size_t n);

#endif
