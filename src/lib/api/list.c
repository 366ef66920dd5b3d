// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* List: every reuseport group of the host, steered or not. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "error.h"
#include "host/caps.h"
#include "host/netns.h"
#include "sockets/group_iter.h"
#include "sockets/group_key.h"
#include "sockets/group_scan.h"
#include "state/steering_maps.h"

struct own {
	struct reuseport_key key;
	uint32_t program_id;
};

struct listing {
	struct group_iter_bpf *reader; /* NULL: there are no iterators */
	struct group_key_filter filter;
	struct reuseport_listed *groups;
	size_t n, room;
	struct reuseport_error *err;
	struct own *own; /* what is pinned */
	size_t n_own;
	int ret;
};

static int add_own(void *ctx, const char *path, const struct reuseport_key *key)
{
	struct listing *listing = ctx;
	struct steering steering;
	struct own *grown;

	steering_open(&steering, path);
	grown = realloc(listing->own, (listing->n_own + 1) * sizeof(*grown));
	if (grown) {
		listing->own = grown;
		if (steering.program >= 0)
			listing->own[listing->n_own++] = (struct own){ *key, steering.program_id };
	}
	steering_close(&steering);
	return grown ? 0 : fail(listing->err, ENOMEM, "out of memory");
}

static bool is_own(const struct listing *listing, uint32_t id, const char *name)
{
	for (size_t i = 0; i < listing->n_own; i++)
		if (listing->own[i].program_id == id)
			return true;
	return group_program_is_ours(name);
}

/* Where the kernel does not tell which program a group has, what is pinned for it
 * is taken to be attached. */
static void take_for_granted(const struct listing *listing, struct reuseport_listed *group)
{
	for (size_t i = 0; i < listing->n_own; i++) {
		if (!group_key_equal(&listing->own[i].key, &group->key))
			continue;
		group->own = group->has_program = true;
		group->program_id = listing->own[i].program_id;
		group_program_name(group->program_id, group->program_name,
				   sizeof(group->program_name));
	}
}

static struct reuseport_listed *append(struct listing *listing)
{
	struct reuseport_listed *grown;

	if (listing->n == listing->room) {
		grown = realloc(listing->groups, (listing->room * 2 + 16) * sizeof(*grown));
		if (!grown)
			return NULL;
		listing->groups = grown;
		listing->room = listing->room * 2 + 16;
	}
	return memset(&listing->groups[listing->n++], 0, sizeof(*listing->groups));
}

static void key_of(const struct group_member *member, uint64_t netns, struct reuseport_key *key)
{
	*key = (struct reuseport_key){
		.proto = member->proto,
		.family = member->family,
		.port = member->port,
		.ifindex = member->ifindex,
		.v6only = member->v6only,
		.netns = netns,
	};
	memcpy(key->addr, member->addr, sizeof(key->addr));
}

static int add_group(struct listing *listing, const struct group_member *member, uint64_t netns,
		     const char *name)
{
	struct reuseport_listed *group;
	struct reuseport_key key;

	key_of(member, netns, &key);
	if (!group_key_matches(&listing->filter, &key))
		return 0;
	group = append(listing);
	if (!group)
		return -ENOMEM;
	group->key = key;
	group->uid = member->uid;
	group->sockets = member->num_socks;
	group->has_program = member->has_prog;
	group->program_id = member->prog_id;
	snprintf(group->netns_name, sizeof(group->netns_name), "%s", name);
	group->program_known = listing->reader != NULL;
	if (!group->program_known) {
		take_for_granted(listing, group);
		return 0;
	}
	group_program_name(member->prog_id, group->program_name, sizeof(group->program_name));
	group->own = group->has_program && is_own(listing, group->program_id, group->program_name);
	return 0;
}

static int by_group(const void *a, const void *b)
{
	const struct group_member *x = a, *y = b;

	return x->group < y->group ? -1 : x->group > y->group;
}

/* One row for each group, whichever member comes first. */
static int add_namespace(void *ctx, uint64_t inode, const char *name, uint32_t pid)
{
	struct listing *listing = ctx;
	struct netns_ref ns = { .inode = inode, .hint_pid = pid };
	struct member_list list = { 0 };
	struct netns_visit visit;

	if (listing->filter.key.netns && listing->filter.key.netns != inode)
		return 0;
	/* One that has just gone is not there to be listed. */
	if (netns_enter(&ns, &visit, NULL))
		return 0;
	if (listing->reader)
		listing->ret = group_iter_read(listing->reader, listing->filter.key.proto, &list,
					       listing->err);
	else
		listing->ret = group_scan_read(listing->filter.key.proto, &list, listing->err);
	netns_leave(&visit);
	if (list.n)
		qsort(list.members, list.n, sizeof(*list.members), by_group);
	for (size_t i = 0; !listing->ret && i < list.n; i++) {
		if (i && list.members[i].group == list.members[i - 1].group)
			continue;
		if (add_group(listing, &list.members[i], inode, name))
			listing->ret = fail(listing->err, ENOMEM, "out of memory");
	}
	free(list.members);
	return listing->ret;
}

static int by_key(const void *a, const void *b)
{
	return group_key_compare(&((const struct reuseport_listed *)a)->key,
				 &((const struct reuseport_listed *)b)->key);
}

int reuseport_list(const struct reuseport_filter *filter, struct reuseport_listed **groups,
		   size_t *n, struct reuseport_error *err)
{
	struct listing listing = { .err = err };
	int ret;

	ret = group_key_filter_init(&listing.filter, filter, err);
	if (!ret)
		ret = caps_require("list groups", err);
	if (!ret)
		ret = reuseport_disable_check(err);
	if (ret)
		return ret;
	group_iter_open(&listing.reader, NULL);
	/* Works without pins in sight too: the names tell whose programs they are. */
	pins_for_each(add_own, &listing, NULL);
	netns_for_each(add_namespace, &listing);
	ret = listing.ret;
	group_iter_close(listing.reader);
	free(listing.own);
	if (ret) {
		free(listing.groups);
		return ret;
	}
	if (listing.n)
		qsort(listing.groups, listing.n, sizeof(*listing.groups), by_key);
	*groups = listing.groups;
	*n = listing.n;
	return 0;
}
