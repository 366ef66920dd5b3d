// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* reuseport_list(): every reuseport group of the host, steered or not. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "error.h"
#include "fd.h"
#include "host/caps.h"
#include "host/netns.h"
#include "item_list.h"
#include "sockets/group_iter.h"
#include "state/hook_iter.h"
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
	struct group_iter *reader; /* NULL: there are no iterators */
	bool known;                /* they did not hang */
	struct group_key_filter filter;
	struct reuseport_group_list *list;
	uint64_t netns_cookie; /* of the namespace at hand */
	struct reuseport_error *err;
	struct own_program *own; /* programs that are pinned */
	size_t n_own;
	int ret;
};

static int list_cannot_open(const struct listing *listing, const char *path, int code)
{
	return fail(listing->err, code, "cannot open the pins in %s: %s", path, strerror(code));
}

static int list_add_own(void *ctx, const struct pins_entry *pinned)
{
	struct listing *listing = ctx;
	struct own_program own, *grown;
	struct steering steering;
	int ret;

	if (pinned->dir < 0)
		return 0;
	ret = steering_open(&steering, pinned->dir);
	if (ret && ret != -ENOENT)
		return list_cannot_open(listing, pinned->path, -ret);
	own.program_id = steering.program_id;
	steering_close(&steering);
	ret = pin_owner_read(pinned->dir, pinned->path, pinned->named, &own.key, listing->err);
	if (ret)
		return ret;
	snprintf(own.pin, sizeof(own.pin), "%s", pinned->path);
	grown = realloc(listing->own, (listing->n_own + 1) * sizeof(*grown));
	if (!grown)
		return fail(listing->err, ENOMEM, "out of memory");
	listing->own = grown;
	grown[listing->n_own++] = own;
	return 0;
}

/* Return whether the program belongs to pins where its own pin is missing: 1, 0 or -errno. */
static int list_is_of_damaged(const struct listing *listing, const struct own_program *own,
			      uint32_t id)
{
	char path[REUSEPORT_PATH_MAX];
	int dir = pins_open(pins_name_in(own->pin), path, sizeof(path), NULL), ret;
	struct steering steering;

	/* Detached meanwhile. */
	if (dir == -ENOENT)
		return 0;
	ret = dir < 0 ? dir : steering_open(&steering, dir);
	if (!ret || ret == -ENOENT) {
		ret = steering_owns(&steering, id);
		steering_close(&steering);
	}
	fd_close(dir);
	return ret < 0 ? list_cannot_open(listing, own->pin, -ret) : ret;
}

/* Find out whether the program is pinned here. Its name does not tell: another bpffs may have it
 * pinned, that of a container. Return 0 or -errno. */
static int list_is_own(const struct listing *listing, uint32_t id, const char *name, bool *own)
{
	int ret = 0;

	for (size_t i = 0; !ret && i < listing->n_own; i++)
		ret = listing->own[i].program_id == id;
	for (size_t i = 0; !ret && i < listing->n_own && !strcmp(name, GROUP_PROGRAM_NAME); i++)
		if (!listing->own[i].program_id)
			ret = list_is_of_damaged(listing, &listing->own[i], id);
	*own = ret > 0;
	return ret < 0 ? ret : 0;
}

/* Take what is pinned for the group to be attached, where the kernel cannot tell which
 * program it has. Return 0 or -errno. */
static int list_assume_attached(const struct listing *listing, struct reuseport_group_info *group)
{
	for (size_t i = 0; i < listing->n_own; i++) {
		if (!listing->own[i].program_id ||
		    !group_key_equal(&listing->own[i].key, group->key))
			continue;
		group->own = group->has_program = true;
		group->program_id = listing->own[i].program_id;
	}
	return group_program_name(group->program_id, group->program_name,
				  sizeof(group->program_name));
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
	int ret;

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
	group->program_known = listing->known;
	if (!group->program_known)
		return list_assume_attached(listing, group);
	ret = group_program_name(member->prog_id, group->program_name, sizeof(group->program_name));
	if (!ret && group->has_program && group->program_id)
		ret = list_is_own(listing, group->program_id, group->program_name, &group->own);
	return ret;
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
	listing->known = listing->reader != NULL;
	if (listing->known)
		ret = group_iter_read(listing->reader, proto, list, listing->err);
	if (listing->known && ret != -EOPNOTSUPP)
		return ret;
	listing->known = false;
	return group_scan_read(proto, list, listing->err);
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
		listing->ret = list_add_group(listing, &list.members[i], inode, name);
		if (listing->ret)
			fail(listing->err, -listing->ret, "cannot list a group: %s",
			     strerror(-listing->ret));
	}
	free(list.members);
	return listing->ret;
}

/* Read the pins, then the groups of each namespace. */
static int list_read(struct listing *listing)
{
	struct reuseport_error *err = listing->err;
	int ret = hook_iter_open(&listing->reader, err);

	if (ret && ret != -EOPNOTSUPP)
		return ret;
	ret = pins_for_each(list_add_own, listing, err);
	/* Where no bpffs is in sight, or another user's directory, nothing is pinned here. */
	if (ret && ret != -ENODEV && ret != -EPERM)
		return ret;
	ret = netns_for_each(list_add_netns, listing);
	if (!ret || listing->ret)
		return listing->ret;
	return fail(err, -ret, "cannot look through the network namespaces: %s", strerror(-ret));
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
	listing.ret = list_read(&listing);
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
