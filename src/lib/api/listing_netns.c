// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* Listing netns: the groups of one network namespace, and what becomes of their packets. */
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/listing_netns.h"
#include "api/listing_rows.h"
#include "error.h"
#include "host/netns.h"
#include "sockets/group_scan.h"
#include "sockets/shadow.h"

/* What was read of a namespace. */
struct netns_sockets {
	uint64_t inode, cookie;
	const char *name;
	struct sock_diag_list tcp, udp, connected;
	struct member_list kernel, unreached;
	bool known; /* by iterators */
};

static void netns_sockets_free(struct netns_sockets *all)
{
	free(all->tcp.sockets);
	free(all->udp.sockets);
	free(all->connected.sockets);
	free(all->kernel.members);
	free(all->unreached.members);
}

/* ---------------------------------------------------------------- reading */

/* Move the connected ones to a list of their own. Return 0 or -ENOMEM. */
static int split_connected(struct sock_diag_list *udp, struct sock_diag_list *connected)
{
	size_t kept = 0;

	connected->sockets = calloc(udp->n + 1, sizeof(*connected->sockets));
	if (!connected->sockets)
		return -ENOMEM;
	for (size_t i = 0; i < udp->n; i++)
		if (udp->sockets[i].connected)
			connected->sockets[connected->n++] = udp->sockets[i];
		else
			udp->sockets[kept++] = udp->sockets[i];
	udp->n = kept;
	return 0;
}

static void set_netns(const struct netns_sockets *all, struct sock_diag_list *list)
{
	for (size_t i = 0; i < list->n; i++) {
		list->sockets[i].key.netns = all->inode;
		list->sockets[i].key.netns_cookie = all->cookie;
	}
}

static int dump_sockets(const struct listing_reading *reading, struct netns_sockets *all)
{
	const struct reuseport_filter *want = &reading->filter.want;
	int ret = 0;

	if (want->proto != IPPROTO_UDP)
		ret = sock_diag_dump(IPPROTO_TCP, want->port, &all->tcp, reading->err);
	if (!ret && want->proto != IPPROTO_TCP)
		ret = sock_diag_dump_all(IPPROTO_UDP, want->port, &all->udp, reading->err);
	if (!ret && split_connected(&all->udp, &all->connected))
		ret = fail(reading->err, ENOMEM, "out of memory");
	set_netns(all, &all->tcp);
	set_netns(all, &all->udp);
	set_netns(all, &all->connected);
	return ret;
}

/* Read the groups after the sockets: a socket that is there is a member by then, if it ever is. */
static int read_groups(struct listing_reading *reading, struct netns_sockets *all)
{
	int proto = reading->filter.want.proto, ret = -EOPNOTSUPP;
	struct reuseport_error why = reading->no_reader;

	if (reading->reader)
		ret = group_iter_read(reading->reader, proto, &all->kernel, &why);
	all->known = !ret;
	if (!ret)
		return 0;
	if (ret != -EOPNOTSUPP) {
		if (reading->err)
			*reading->err = why;
		return ret;
	}
	if (reading->reader)
		ret = listing_add_unseen(reading, "programs", all->inode, all->name, &why);
	else
		ret = 0;
	return ret ? ret : group_scan_read(proto, &all->kernel, &all->unreached, reading->err);
}

/* Read what is in the thread's namespace. */
static int read_netns(struct listing_reading *reading, struct netns_sockets *all)
{
	int ret = netns_cookie(&all->cookie, reading->err);

	if (!ret)
		ret = dump_sockets(reading, all);
	return ret ? ret : read_groups(reading, all);
}

/* ------------------------------------------------------------------- rows */

/* Return whether a group of the same key has the program that is pinned for it. */
static bool has_pinned_program(const struct place_list *list, const struct place *place,
			       uint32_t program_id)
{
	for (size_t i = 0; i < list->n; i++)
		if (list->places[i].member && list->places[i].member->prog_id == program_id &&
		    !group_key_compare_place(&list->places[i].key, &place->key))
			return true;
	return false;
}

/* Take what is pinned for a group to be attached, where the kernel does not tell which program it
 * has. */
static void assume_attached(const struct own_program *pinned, struct group_program *program)
{
	program->present = pinned && pinned->program_id;
	program->id = program->present ? pinned->program_id : 0;
}

/* Fill what is known of the program. Return 0 or -errno. */
static int describe_program(const struct listing_reading *reading, const struct place *place,
			    const struct own_program *pinned, struct listing_row *row)
{
	bool known = row->info.program_known;
	struct group_program program = { 0 };
	int own = 0, ret;

	if (place->member && known) {
		program.present = place->member->has_prog;
		program.id = place->member->prog_id;
	} else if (!known) {
		assume_attached(pinned, &program);
	}
	ret = group_program_name(program.id, program.name, sizeof(program.name));
	if (ret)
		return fail(reading->err, -ret, "cannot list a group: %s", strerror(-ret));
	own = known ? own_programs_have(&reading->own, &program, reading->err) : program.present;
	if (own < 0)
		return own;
	row->info.has_program = program.present;
	row->info.own = own;
	row->info.program_id = program.id;
	memcpy(row->info.program_name, program.name, sizeof(row->info.program_name));
	return 0;
}

static void gather_facts(const struct listing_reading *reading, const struct place_list *list,
			 const struct place *place, const struct own_program *pinned,
			 struct listing_row *row)
{
	const struct reuseport_group_info *info = &row->info;

	row->facts = (struct listing_facts){
		.sockets = place->n,
		.grouped = place->known,
		.group = place->member,
		.program_known = info->program_known,
		.has_program = info->has_program,
		.own = info->own,
		.maybe_own = reading->own.refused == -EACCES && info->program_id &&
			     (!*info->program_name ||
			      !strcmp(info->program_name, GROUP_PROGRAM_NAME)),
		.lost = pinned && pinned->program_id &&
			!has_pinned_program(list, place, pinned->program_id),
		.counted = pinned && pinned->counted && pinned->program_id == info->program_id,
		.may_get_new = pinned ? pinned->may_get_new : 0,
	};
}

/* Copy the sockets, and sum up their queues. */
static int describe_sockets(const struct place *place, const struct sock_diag_list *connected,
			    struct listing_row *row)
{
	row->sockets = calloc(place->n + 1, sizeof(*row->sockets));
	if (!row->sockets)
		return -ENOMEM;
	memcpy(row->sockets, place->sockets, place->n * sizeof(*row->sockets));
	row->n_sockets = row->info.sockets = place->n;
	for (size_t i = 0; i < place->n; i++) {
		row->listed.queue += place->sockets[i].queue;
		row->listed.queue_limit += place->sockets[i].queue_limit;
	}
	for (size_t i = 0; place->key.proto == IPPROTO_UDP && i < connected->n; i++)
		row->listed.connected_sockets += place_has_connected(&place->key,
								     &connected->sockets[i].key);
	return 0;
}

static int describe_shadows(const struct place_list *list, size_t i, struct listing_row *row)
{
	size_t k = shadow_find(list, i, 0);

	for (; k < list->n && row->shadows.n < REUSEPORT_SHADOWS_MAX;
	     k = shadow_find(list, i, k + 1)) {
		struct reuseport_key *key = item_list_add(&row->shadows, sizeof(*key));

		if (!key)
			return -ENOMEM;
		*key = list->places[k].key;
	}
	row->facts.shadowed = row->shadows.n;
	row->listed.shadowed_by = (const struct reuseport_key *const *)row->shadows.items;
	row->listed.n_shadowed_by = row->shadows.n;
	return 0;
}

/* Return whether it is to be shown: a group, what may be one, or what should be one. */
static bool is_listed(const struct listing_reading *reading, const struct place *place)
{
	return (place->member || !place->known || place_is_reuseaddr_only(place)) &&
	       group_key_matches(&reading->filter, &place->key);
}

static int add_place(struct listing_reading *reading, const struct netns_sockets *all,
		     const struct place_list *list, size_t i)
{
	const struct place *place = &list->places[i];
	const struct own_program *pinned = own_programs_for(&reading->own, &place->key);
	struct listing_row *row = listing_add_row(reading, &place->key, all->name);
	int ret;

	if (!row || describe_sockets(place, &all->connected, row))
		return fail(reading->err, ENOMEM, "out of memory");
	row->info.program_known = all->known;
	ret = describe_program(reading, place, pinned, row);
	if (ret)
		return ret;
	gather_facts(reading, list, place, pinned, row);
	if (place->member && describe_shadows(list, i, row))
		return fail(reading->err, ENOMEM, "out of memory");
	row->listed.is_group = place->member;
	row->listed.state = listing_state(&row->facts);
	return 0;
}

/* Mark the groups that have a program which is pinned here. */
static int mark_steered(const struct listing_reading *reading, struct place_list *list)
{
	int ret = 0;

	for (size_t i = 0; ret >= 0 && i < list->n; i++) {
		struct place *place = &list->places[i];
		struct group_program program = { 0 };

		program.id = place->member ? place->member->prog_id : 0;
		ret = own_programs_have(&reading->own, &program, reading->err);
		place->steered = ret > 0;
	}
	return ret < 0 ? ret : 0;
}

static int add_places(struct listing_reading *reading, const struct netns_sockets *all,
		      const struct sock_diag_list *sockets)
{
	const struct place_members members = { .kernel = &all->kernel,
					       .unreached = &all->unreached,
					       .unordered = !all->known };
	struct place_list list;
	int ret = places_make(sockets, &members, &list);

	if (ret)
		return fail(reading->err, ENOMEM, "out of memory");
	ret = mark_steered(reading, &list);
	for (size_t i = 0; !ret && i < list.n; i++)
		if (is_listed(reading, &list.places[i]))
			ret = add_place(reading, all, &list, i);
	places_free(&list);
	return ret;
}

static int count_connected(struct listing_reading *reading, const struct netns_sockets *all)
{
	struct reuseport_connected *connected;
	size_t n = 0;

	for (size_t i = 0; i < all->connected.n; i++)
		n += group_key_matches(&reading->filter, &all->connected.sockets[i].key);
	if (!n)
		return 0;
	connected = item_list_add(&reading->listing->connected, sizeof(*connected));
	if (!connected)
		return fail(reading->err, ENOMEM, "out of memory");
	connected->netns = all->inode;
	connected->sockets = n;
	snprintf(connected->netns_name, sizeof(connected->netns_name), "%s", all->name);
	return 0;
}

static int add_sockets(struct listing_reading *reading, const struct netns_sockets *all)
{
	int ret = add_places(reading, all, &all->tcp);

	if (!ret)
		ret = add_places(reading, all, &all->udp);
	return ret ? ret : count_connected(reading, all);
}

int listing_add_netns(void *ctx, uint64_t inode, const char *name, uint32_t pid)
{
	struct listing_reading *reading = ctx;
	struct netns_sockets all = { .inode = inode, .name = name };
	struct netns_ref ns = { .inode = inode, .hint_pid = pid };
	struct reuseport_error why = { 0 };
	struct netns_visit visit;
	int ret;

	if (reading->filter.want.netns && reading->filter.want.netns != inode)
		return 0;
	reading->found = reading->filter.want.netns;
	ret = netns_enter(&ns, &visit, &why);
	if (ret == -ENETDOWN) /* it has just gone */
		return 0;
	/* The last: a process keeps others from looking where it is. */
	if (ret == -EPERM || ret == -EACCES || ret == -ETIMEDOUT)
		return listing_add_unseen(reading, "namespace", inode, name, &why);
	if (ret)
		return fail(reading->err, -ret, "%s", why.text);
	ret = read_netns(reading, &all);
	netns_leave(&visit);
	if (!ret)
		ret = add_sockets(reading, &all);
	netns_sockets_free(&all);
	return ret;
}
