// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* reuseport_list(): every reuseport group of the host, steered or not. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "error.h"
#include "host/caps.h"
#include "host/netns.h"
#include "item_list.h"
#include "sockets/group_iter.h"
#include "sockets/group_key.h"
#include "sockets/group_scan.h"
#include "state/pin_owner.h"
#include "state/steering_maps.h"

/* The public list. */
struct reuseport_group_list {
	struct item_list groups; /* of struct list_item */
};

struct list_item {
	struct reuseport_group_info info; /* first */
	struct reuseport_key key;
};

/* What is pinned for one group. */
struct own_program {
	struct reuseport_key key;
	char pin[REUSEPORT_PATH_MAX];
	uint32_t program_id; /* 0: the program's pin is missing */
};

struct listing {
	struct group_iter_bpf *reader; /* NULL: there are no iterators */
	struct group_key_filter filter;
	struct reuseport_group_list *list;
	uint64_t netns_cookie; /* of the namespace at hand */
	struct reuseport_error *err;
	struct own_program *own; /* programs that are pinned */
	size_t n_own;
	int ret;
};

static int list_add_own(void *ctx, const char *path, const struct reuseport_key *named)
{
	struct listing *listing = ctx;
	struct steering steering;
	struct own_program *grown;

	steering_open(&steering, path);
	grown = realloc(listing->own, (listing->n_own + 1) * sizeof(*grown));
	if (grown) {
		listing->own = grown;
		grown += listing->n_own++;
		pin_owner_read(path, named, &grown->key);
		grown->program_id = steering.program_id;
		snprintf(grown->pin, sizeof(grown->pin), "%s", path);
	}
	steering_close(&steering);
	return grown ? 0 : fail(listing->err, ENOMEM, "out of memory");
}

/* Return whether the program belongs to pins where its own pin is missing. */
static bool list_is_of_damaged(const struct own_program *own, uint32_t id)
{
	struct steering steering;
	bool owns;

	steering_open(&steering, own->pin);
	owns = steering_owns(&steering, id);
	steering_close(&steering);
	return owns;
}

/* Return whether the program is pinned here. Its name does not tell: another bpffs may have it
 * pinned, that of a container. */
static bool list_is_own(const struct listing *listing, uint32_t id, const char *name)
{
	bool own = false;

	for (size_t i = 0; !own && i < listing->n_own; i++)
		own = listing->own[i].program_id == id;
	for (size_t i = 0; !own && i < listing->n_own && !strcmp(name, GROUP_PROGRAM_NAME); i++)
		own = !listing->own[i].program_id && list_is_of_damaged(&listing->own[i], id);
	return own;
}

/* Take what is pinned for the group to be attached, where the kernel cannot tell which
 * program it has. */
static void list_assume_attached(const struct listing *listing, struct reuseport_group_info *group)
{
	for (size_t i = 0; i < listing->n_own; i++) {
		if (!listing->own[i].program_id ||
		    !group_key_equal(&listing->own[i].key, group->key))
			continue;
		group->own = group->has_program = true;
		group->program_id = listing->own[i].program_id;
		group_program_name(group->program_id, group->program_name,
				   sizeof(group->program_name));
	}
}

static void list_key_of_member(const struct group_member *member, uint64_t netns,
			       uint64_t netns_cookie, struct reuseport_key *key)
{
	*key = (struct reuseport_key){
		.sz = sizeof(*key),
		.proto = member->proto,
		.family = member->family,
		.port = member->port,
		.ifindex = member->ifindex,
		.v6only = member->v6only,
		.netns = netns,
		.netns_cookie = netns_cookie,
		.has_uid = true,
		.uid = member->uid,
	};
	memcpy(key->addr, member->addr, sizeof(key->addr));
}

static int list_add_group(struct listing *listing, const struct group_member *member,
			  uint64_t netns, const char *name)
{
	struct reuseport_group_info *group;
	struct reuseport_key key;
	struct list_item *item;

	list_key_of_member(member, netns, listing->netns_cookie, &key);
	if (!group_key_matches(&listing->filter, &key))
		return 0;
	item = item_list_add(&listing->list->groups, sizeof(*item));
	if (!item)
		return -ENOMEM;
	item->key = key;
	group = &item->info;
	group->key = &item->key;
	group->uid = member->uid;
	group->sockets = member->num_socks;
	group->has_program = member->has_prog;
	group->program_id = member->prog_id;
	snprintf(group->netns_name, sizeof(group->netns_name), "%s", name);
	group->program_known = listing->reader != NULL;
	if (!group->program_known) {
		list_assume_attached(listing, group);
		return 0;
	}
	group_program_name(member->prog_id, group->program_name, sizeof(group->program_name));
	group->own = group->has_program && group->program_id &&
		     list_is_own(listing, group->program_id, group->program_name);
	return 0;
}

static int list_by_group(const void *a, const void *b)
{
	const struct group_member *x = a, *y = b;

	return x->group < y->group ? -1 : x->group > y->group;
}

/* Read the sockets of every group in the thread's namespace. */
static int list_read_members(struct listing *listing, struct member_list *list)
{
	int proto = listing->filter.want.proto;
	int ret = netns_cookie(&listing->netns_cookie, listing->err);

	if (ret)
		return ret;
	return listing->reader ? group_iter_read(listing->reader, proto, list, listing->err) :
				 group_scan_read(proto, list, listing->err);
}

/* Add each group once, by the first of its members. */
static int list_add_netns(void *ctx, uint64_t inode, const char *name, uint32_t pid)
{
	struct listing *listing = ctx;
	struct netns_ref ns = { .inode = inode, .hint_pid = pid };
	struct member_list list = { 0 };
	struct netns_visit visit;

	if (listing->filter.want.netns && listing->filter.want.netns != inode)
		return 0;
	listing->ret = netns_enter(&ns, &visit, listing->err);
	if (listing->ret == -ENETDOWN) /* it has just gone */
		return listing->ret = 0;
	if (listing->ret)
		return listing->ret;
	listing->ret = list_read_members(listing, &list);
	netns_leave(&visit);
	if (list.n)
		qsort(list.members, list.n, sizeof(*list.members), list_by_group);
	for (size_t i = 0; !listing->ret && i < list.n; i++) {
		if (i && list.members[i].group == list.members[i - 1].group)
			continue;
		if (list_add_group(listing, &list.members[i], inode, name))
			listing->ret = fail(listing->err, ENOMEM, "out of memory");
	}
	free(list.members);
	return listing->ret;
}

static int list_compare(const void *a, const void *b)
{
	return group_key_compare(&((const struct list_item *)a)->key,
				 &((const struct list_item *)b)->key);
}

int reuseport_list(const struct reuseport_filter *filter, struct reuseport_group_list **groups,
		   struct reuseport_error *err)
{
	struct listing listing = { .err = err };
	int ret = group_key_filter_init(&listing.filter, filter, err);

	if (!ret && !groups)
		ret = fail(err, EINVAL, "list needs a place for the list");
	if (!ret)
		ret = caps_require("list groups", err);
	if (!ret)
		ret = reuseport_disable_check(err);
	if (ret)
		return ret;
	listing.list = calloc(1, sizeof(*listing.list));
	if (!listing.list)
		return fail(err, ENOMEM, "out of memory");
	group_iter_open(&listing.reader, NULL);
	listing.ret = pins_for_each(list_add_own, &listing, err);
	/* Where no bpffs is in sight, nothing is pinned here. */
	if (listing.ret == -ENODEV)
		listing.ret = 0;
	ret = listing.ret ? 0 : netns_for_each(list_add_netns, &listing);
	if (ret && !listing.ret)
		listing.ret = fail(err, -ret, "cannot look through the network namespaces: %s",
				   strerror(-ret));
	group_iter_close(listing.reader);
	free(listing.own);
	if (listing.ret) {
		reuseport_group_list__free(listing.list);
		return listing.ret;
	}
	item_list_sort(&listing.list->groups, list_compare);
	*groups = listing.list;
	return 0;
}

size_t reuseport_group_list__count(const struct reuseport_group_list *list)
{
	return list ? list->groups.n : 0;
}

const struct reuseport_group_info *
reuseport_group_list__get(const struct reuseport_group_list *list, size_t i)
{
	const struct list_item *item = list ? item_list_get(&list->groups, i) : NULL;

	return item ? &item->info : NULL;
}

void reuseport_group_list__free(struct reuseport_group_list *list)
{
	if (!list)
		return;
	item_list_clear(&list->groups, NULL);
	free(list);
}
