// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* Places: the sockets of a namespace and a protocol, put together by what they share. */
#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "sockets/group_key.h"
#include "sockets/places.h"

/* A socket, and what is known of its group. */
struct placed {
	const struct sock_diag_socket *socket;
	const struct group_member *member; /* NULL: it is of none */
	size_t order;                      /* of the member */
	bool known;
};

/* A member, and its place in the kernel's order. */
struct ordered {
	const struct group_member *member;
	size_t order;
};

static int by_ordered_cookie(const void *a, const void *b)
{
	const struct ordered *x = a, *y = b;

	if (x->member->cookie != y->member->cookie)
		return x->member->cookie < y->member->cookie ? -1 : 1;
	return x->order < y->order ? -1 : x->order > y->order;
}

/* Return the members sorted by cookie, NULL if out of memory. */
static struct ordered *order_members(const struct member_list *list)
{
	struct ordered *ordered = calloc(list->n + 1, sizeof(*ordered));

	for (size_t i = 0; ordered && i < list->n; i++)
		ordered[i] = (struct ordered){ &list->members[i], i };
	if (ordered && list->n)
		qsort(ordered, list->n, sizeof(*ordered), by_ordered_cookie);
	return ordered;
}

static const struct ordered *find_ordered(const struct ordered *list, size_t n, uint64_t cookie)
{
	size_t low = 0, high = n;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (list[middle].member->cookie < cookie)
			low = middle + 1;
		else
			high = middle;
	}
	return low < n && list[low].member->cookie == cookie ? &list[low] : NULL;
}

static bool is_unreached(const struct member_list *unreached, uint64_t cookie)
{
	for (size_t i = 0; unreached && i < unreached->n; i++)
		if (unreached->members[i].cookie == cookie)
			return true;
	return false;
}

/* Among sockets of one key: those of groups by group, then those of none, then the others. */
static int by_place(const void *a, const void *b)
{
	const struct placed *x = a, *y = b;
	int ret = group_key_compare_place(&x->socket->key, &y->socket->key);
	uint64_t group = x->member ? x->member->group : UINT64_MAX;
	uint64_t other = y->member ? y->member->group : UINT64_MAX;

	if (ret)
		return ret;
	if (group != other)
		return group < other ? -1 : 1;
	if (x->known != y->known)
		return x->known ? -1 : 1;
	return x->order < y->order ? -1 : x->order > y->order;
}

static bool is_same_place(const struct placed *a, const struct placed *b)
{
	uint64_t group = a->member ? a->member->group : 0;
	uint64_t other = b->member ? b->member->group : 0;

	return a->known == b->known && group == other &&
	       !group_key_compare_place(&a->socket->key, &b->socket->key);
}

static void place_add(struct place *place, const struct placed *placed)
{
	if (!place->n) {
		place->key = placed->socket->key;
		place->known = placed->known;
		place->member = placed->member;
		place->order = placed->order;
	}
	if (place->key.uid != placed->socket->key.uid)
		place->key.has_uid = false;
	if (placed->order < place->order) {
		place->order = placed->order;
		place->member = placed->member;
	}
	place->n++;
}

static void places_fill(const struct placed *placed, size_t n, struct place_list *list)
{
	for (size_t i = 0; i < n; i++) {
		if (!i || !is_same_place(&placed[i - 1], &placed[i]))
			list->places[list->n++].sockets = &list->sockets[i];
		list->sockets[i] = *placed[i].socket;
		place_add(&list->places[list->n - 1], &placed[i]);
	}
}

/* Look up what is known of the group of each socket, and sort. */
static void place_sockets(const struct sock_diag_list *sockets, const struct place_members *members,
			  const struct ordered *ordered, struct placed *placed)
{
	for (size_t i = 0; i < sockets->n; i++) {
		const struct sock_diag_socket *socket = &sockets->sockets[i];
		const struct ordered *found = find_ordered(ordered, members->kernel->n,
							   socket->cookie);

		placed[i].socket = socket;
		placed[i].member = found ? found->member : NULL;
		placed[i].order = found ? found->order : 0;
		placed[i].known = found || !is_unreached(members->unreached, socket->cookie);
	}
	if (sockets->n)
		qsort(placed, sockets->n, sizeof(*placed), by_place);
}

int places_make(const struct sock_diag_list *sockets, const struct place_members *members,
		struct place_list *list)
{
	struct ordered *ordered = order_members(members->kernel);
	struct placed *placed = calloc(sockets->n + 1, sizeof(*placed));
	int ret = -ENOMEM;

	*list = (struct place_list){ .unordered = members->unordered,
				     .places = calloc(sockets->n + 1, sizeof(*list->places)),
				     .sockets = calloc(sockets->n + 1, sizeof(*list->sockets)) };
	if (ordered && placed && list->places && list->sockets) {
		place_sockets(sockets, members, ordered, placed);
		places_fill(placed, sockets->n, list);
		ret = 0;
	} else {
		places_free(list);
	}
	free(ordered);
	free(placed);
	return ret;
}

void places_free(struct place_list *list)
{
	free(list->places);
	free(list->sockets);
	*list = (struct place_list){ 0 };
}

bool place_is_multicast(const struct reuseport_key *key)
{
	return key->family == AF_INET ? (key->addr[0] & 0xf0) == 0xe0 : key->addr[0] == 0xff;
}

bool place_is_reuseaddr_only(const struct place *place)
{
	return place->known && !place->member && place->n > 1 && place->key.proto == IPPROTO_UDP &&
	       !place_is_multicast(&place->key);
}

bool place_has_connected(const struct reuseport_key *key, const struct reuseport_key *connected)
{
	static const uint8_t any[16];

	return connected->port == key->port && connected->family == key->family &&
	       (!key->has_uid || connected->uid == key->uid) &&
	       (!memcmp(key->addr, any, sizeof(any)) ||
		!memcmp(key->addr, connected->addr, sizeof(any)));
}
