// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* Group keys: compare, print and match the key of a reuseport group. */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

#include "error.h"
#include "opts.h"
#include "sockets/group_key.h"

bool group_key_same_place(const struct reuseport_key *a, const struct reuseport_key *b)
{
	return a->proto == b->proto && a->family == b->family && a->port == b->port &&
	       a->ifindex == b->ifindex && a->v6only == b->v6only && a->netns == b->netns &&
	       !memcmp(a->addr, b->addr, sizeof(a->addr));
}

bool group_key_equal(const struct reuseport_key *a, const struct reuseport_key *b)
{
	return group_key_same_place(a, b) && (!a->has_uid || !b->has_uid || a->uid == b->uid);
}

int group_key_compare_place(const struct reuseport_key *x, const struct reuseport_key *y)
{
	if (x->netns != y->netns)
		return x->netns < y->netns ? -1 : 1;
	if (x->port != y->port)
		return x->port < y->port ? -1 : 1;
	if (x->proto != y->proto)
		return x->proto < y->proto ? -1 : 1;
	if (x->family != y->family)
		return x->family < y->family ? -1 : 1;
	if (memcmp(x->addr, y->addr, sizeof(x->addr)))
		return memcmp(x->addr, y->addr, sizeof(x->addr));
	if (x->ifindex != y->ifindex)
		return x->ifindex < y->ifindex ? -1 : 1;
	return x->v6only < y->v6only ? -1 : x->v6only > y->v6only;
}

int group_key_compare(const struct reuseport_key *x, const struct reuseport_key *y)
{
	int ret = group_key_compare_place(x, y);

	if (ret)
		return ret;
	return x->uid < y->uid ? -1 : x->uid > y->uid;
}

const char *group_key_proto_name(int proto)
{
	return proto == IPPROTO_UDP ? "udp" : "tcp";
}

void group_key_addr_text(const struct reuseport_key *key, char *text, size_t size)
{
	if (!inet_ntop(key->family, key->addr, text, size))
		snprintf(text, size, "?");
}

void group_key_text(const struct reuseport_key *key, char *text, size_t size)
{
	bool v6 = key->family == AF_INET6;
	char addr[INET6_ADDRSTRLEN], device[16] = "";

	group_key_addr_text(key, addr, sizeof(addr));
	if (key->ifindex)
		snprintf(device, sizeof(device), "%%%u", key->ifindex);
	snprintf(text, size, "%s %s%s%s%s:%u", group_key_proto_name(key->proto), v6 ? "[" : "",
		 addr, device, v6 ? "]" : "", key->port);
}

int group_key_copy(struct reuseport_key *key, const struct reuseport_key *from,
		   struct reuseport_error *err)
{
	*key = (struct reuseport_key){ .sz = sizeof(*key) };
	if (!from)
		return fail(err, EINVAL, "no key of a group is given");
	return opts_copy(key, from, err);
}

int reuseport_key_copy(struct reuseport_key *to, const struct reuseport_key *from,
		       struct reuseport_error *err)
{
	size_t room = to ? to->sz : 0;

	if (!from || room < sizeof(room) || from->sz < sizeof(room))
		return fail(err, EINVAL, "a key is missing, or its sz is not set");
	/* Either may be of a caller that knows more or fewer members than we do. */
	memset(to, 0, room);
	memcpy(to, from, from->sz < room ? from->sz : room);
	to->sz = room;
	return 0;
}

int group_key_filter_init(struct group_key_filter *filter, const struct reuseport_filter *from,
			  struct reuseport_error *err)
{
	struct in6_addr addr;
	int ret;

	*filter = (struct group_key_filter){ .want = { .sz = sizeof(filter->want) } };
	ret = opts_copy(&filter->want, from, err);
	if (ret || !filter->want.addr)
		return ret;
	filter->addr_family = AF_INET;
	if (inet_pton(AF_INET, filter->want.addr, &addr) != 1) {
		filter->addr_family = AF_INET6;
		if (inet_pton(AF_INET6, filter->want.addr, &addr) != 1)
			return fail(err, EINVAL, "'%s' is not an IPv4 or IPv6 address",
				    filter->want.addr);
	}
	memcpy(filter->addr, &addr, filter->addr_family == AF_INET6 ? 16 : 4);
	return 0;
}

int group_key_filter_place(struct group_key_filter *filter, const struct reuseport_filter *from,
			   const char *what, struct reuseport_error *err)
{
	int ret = group_key_filter_init(filter, from, err);

	if (!ret && !filter->want.port)
		ret = fail(err, EINVAL, "%s needs a port", what);
	if (!ret && !filter->want.netns)
		ret = reuseport_netns(NULL, &filter->want.netns, err);
	return ret;
}

bool group_key_matches(const struct group_key_filter *filter, const struct reuseport_key *key)
{
	const struct reuseport_filter *want = &filter->want;

	if (want->proto && want->proto != key->proto)
		return false;
	if (want->port && want->port != key->port)
		return false;
	if (want->netns && want->netns != key->netns)
		return false;
	if (want->family && want->family != key->family)
		return false;
	if (want->ifindex && want->ifindex != key->ifindex)
		return false;
	if (want->v6only && (want->v6only > 0) != key->v6only)
		return false;
	if (want->netns_cookie && want->netns_cookie != key->netns_cookie)
		return false;
	if (want->has_uid && (!key->has_uid || want->uid != key->uid))
		return false;
	return !filter->addr_family || (filter->addr_family == key->family &&
					!memcmp(filter->addr, key->addr, sizeof(key->addr)));
}

void group_key_from_entry(struct reuseport_key *key, const struct attachment_entry *entry)
{
	*key = (struct reuseport_key){
		.sz = sizeof(*key),
		.proto = entry->proto,
		.family = entry->family,
		.port = entry->port,
		.ifindex = entry->ifindex,
		.v6only = entry->v6only,
		.netns = entry->netns_ino,
		.netns_cookie = entry->netns_cookie,
		.has_uid = entry->uid_plus_1,
		.uid = entry->uid_plus_1 ? entry->uid_plus_1 - 1 : 0,
	};
	memcpy(key->addr, entry->addr, sizeof(key->addr));
}

void group_key_to_entry(const struct reuseport_key *key, struct attachment_entry *entry)
{
	entry->proto = key->proto;
	entry->family = key->family;
	entry->port = key->port;
	entry->ifindex = key->ifindex;
	entry->v6only = key->v6only;
	entry->netns_ino = key->netns;
	entry->uid_plus_1 = key->has_uid ? key->uid + 1 : 0;
	memcpy(entry->addr, key->addr, sizeof(entry->addr));
}
