// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* Shadow: which sockets on a port get packets before a group that would match them, too. */
#include <netinet/in.h>
#include <string.h>

#include "sockets/lookup_score.h"
#include "sockets/shadow.h"

/* Stand for any address that no socket is bound to: of documentation (RFC 5737, 3849). */
static const uint8_t any_ipv4[16] = { 192, 0, 2, 1 };
static const uint8_t any_ipv6[16] = { 0x20, 0x01, 0x0d, 0xb8, [15] = 1 };

/* Return whether both are on one port, and of one protocol and namespace. */
static bool shares_port(const struct place *a, const struct place *b)
{
	return a->key.proto == b->key.proto && a->key.port == b->key.port &&
	       a->key.netns == b->key.netns;
}

static struct lookup_socket shadow_socket(const struct place *place)
{
	struct lookup_socket socket = { .family = place->key.family,
					.v6only = place->key.v6only,
					.ifindex = place->key.ifindex,
					.group = place->member ? place->member->group : 0,
					.has_conns = place->member && place->member->has_conns };

	memcpy(socket.addr, place->key.addr, sizeof(socket.addr));
	return socket;
}

/* Make a packet to the address of a place, or to any of that family. */
static struct lookup_packet shadow_packet(const struct place *place, int family)
{
	struct lookup_packet packet = { .proto = place->key.proto,
					.family = family,
					.dport = place->key.port };
	const uint8_t *addr = place->key.addr;

	if (lookup_addr_is_zero(addr))
		memcpy(packet.dst, family == AF_INET ? any_ipv4 : any_ipv6, 16);
	else if (family == AF_INET && place->key.family == AF_INET6)
		memcpy(packet.dst, addr + 12, 4);
	else
		memcpy(packet.dst, addr, 16);
	return packet;
}

static bool is_matched(const struct lookup_packet *packet, const struct place *place)
{
	struct lookup_socket socket = shadow_socket(place);

	lookup_score_socket(packet, &socket);
	return socket.score.total >= 0;
}

/* Return whether "a" comes before "b" in the kernel's walk through a table. Sockets of no group
 * can be anywhere: they are taken to be the last. */
static bool is_before(const struct place *a, const struct place *b)
{
	if (!a->member || !b->member)
		return a->member || !b->member;
	/* IPv6 sockets with SO_REUSEPORT are added at the end of the chain, all others ahead. */
	if (a->key.family != b->key.family)
		return a->key.family == AF_INET;
	return a->order < b->order;
}

/*
 * Return whether the packet, which both match, goes to the other place for sure. In one table the
 * walk ends at the first group that it meets; unless that has a connected member (UDP), or is no
 * group: then the higher score decides.
 */
static bool is_taken(const struct lookup_packet *packet, const struct place *place,
		     const struct place *other, bool unordered)
{
	struct lookup_socket sockets[2];
	bool before = is_before(other, place);
	int winner;

	sockets[!before] = shadow_socket(other);
	sockets[before] = shadow_socket(place);
	winner = lookup_score_all(packet, false, sockets, 2);
	if (winner != !before)
		return false;
	if (place->member && other->member && place->key.family != other->key.family)
		return true;
	if (place->member && other->member && !unordered)
		return true;
	/* The other order must give the same. */
	sockets[before] = shadow_socket(other);
	sockets[!before] = shadow_socket(place);
	return lookup_score_all(packet, false, sockets, 2) == before;
}

/* Return whether a packet of that family, that could be for either, goes to the other place. */
static bool takes_of_family(const struct place *place, const struct place *other, int family,
			    bool unordered)
{
	const struct place *specific = lookup_addr_is_zero(other->key.addr) ? place : other;
	struct lookup_packet packet = shadow_packet(specific, family);

	packet.ifindex = other->key.ifindex ? other->key.ifindex : place->key.ifindex;
	return is_matched(&packet, place) && is_matched(&packet, other) &&
	       is_taken(&packet, place, other, unordered);
}

static bool takes_from(const struct place *place, const struct place *other, bool unordered)
{
	return takes_of_family(place, other, AF_INET, unordered) ||
	       takes_of_family(place, other, AF_INET6, unordered);
}

size_t shadow_find(const struct place_list *list, size_t i, size_t from)
{
	const struct place *place = &list->places[i];
	size_t k = from;

	for (; k < list->n; k++) {
		const struct place *other = &list->places[k];

		if (k == i || !shares_port(place, other) || (place->steered && other->steered) ||
		    place_is_multicast(&other->key))
			continue;
		if (takes_from(place, other, list->unordered))
			break;
	}
	return k;
}
