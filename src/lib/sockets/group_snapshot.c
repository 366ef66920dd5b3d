// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* Group snapshot: the members of many groups, read once for a namespace and a protocol. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "error.h"
#include "sockets/group_key.h"
#include "sockets/group_snapshot.h"

struct snapshot_part {
	uint64_t netns, netns_cookie;
	int proto;
	bool valid;
	bool gone;                /* the namespace */
	struct group_members all; /* on_port: those on every port, sorted by port, then cookie */
};

/* A namespace without a name, and a process in it. */
struct snapshot_place {
	uint64_t inode;
	uint32_t pid;
};

static struct snapshot_part *find_part(const struct group_snapshot *snapshot,
				       const struct reuseport_key *key, uint64_t netns_cookie)
{
	for (size_t i = 0; i < snapshot->n; i++) {
		struct snapshot_part *part = &snapshot->parts[i];

		if (part->netns == key->netns && part->proto == key->proto &&
		    part->netns_cookie == netns_cookie)
			return part;
	}
	return NULL;
}

static struct snapshot_part *add_part(struct group_snapshot *snapshot,
				      const struct reuseport_key *key, uint64_t netns_cookie)
{
	struct snapshot_part *grown = realloc(snapshot->parts,
					      (snapshot->n + 1) * sizeof(*snapshot->parts));

	if (!grown)
		return NULL;
	snapshot->parts = grown;
	grown[snapshot->n] = (struct snapshot_part){ .netns = key->netns,
						     .netns_cookie = netns_cookie,
						     .proto = key->proto };
	return &grown[snapshot->n++];
}

static int by_port_and_cookie(const void *a, const void *b)
{
	const struct sock_diag_socket *x = a, *y = b;

	if (x->key.port != y->key.port)
		return x->key.port < y->key.port ? -1 : 1;
	return x->cookie < y->cookie ? -1 : x->cookie > y->cookie;
}

static int note_place(void *ctx, uint64_t inode, const char *name, uint32_t pid)
{
	struct group_snapshot *snapshot = ctx;
	struct snapshot_place *grown;

	(void)name;
	if (!pid)
		return 0;
	grown = realloc(snapshot->places, (snapshot->n_places + 1) * sizeof(*grown));
	if (!grown)
		return -ENOMEM;
	snapshot->places = grown;
	grown[snapshot->n_places++] = (struct snapshot_place){ inode, pid };
	return 0;
}

/* Return a process that is likely to be in the namespace, 0 for none. To look for each namespace
 * by itself would ask all processes each time. */
static uint32_t process_in(struct group_snapshot *snapshot, uint64_t inode)
{
	/* What was not found is looked for when it is entered. */
	if (snapshot->n > 1 && !snapshot->placed)
		netns_for_each(note_place, snapshot);
	snapshot->placed = snapshot->n > 1;
	for (size_t i = 0; i < snapshot->n_places; i++)
		if (snapshot->places[i].inode == inode)
			return snapshot->places[i].pid;
	return 0;
}

static int read_part(struct group_snapshot *snapshot, struct snapshot_part *part,
		     const struct netns_ref *ns, struct reuseport_error *err)
{
	struct reuseport_key key = { .netns = part->netns,
				     .proto = part->proto,
				     .port = snapshot->port };
	struct netns_ref place = { .inode = ns->inode,
				   .cookie = ns->cookie,
				   .hint_pid = process_in(snapshot, ns->inode) };
	struct sock_diag_list *on_port = &part->all.on_port;
	int ret = group_members_read_port(&key, &place, snapshot->reader, &part->all, err);

	part->gone = ret == -ENETDOWN;
	part->valid = !ret || part->gone;
	if (!ret && on_port->n)
		qsort(on_port->sockets, on_port->n, sizeof(*on_port->sockets), by_port_and_cookie);
	return ret;
}

/* Return the index of the first socket on that port or a higher one. */
static size_t first_on_port(const struct sock_diag_list *list, uint32_t port)
{
	size_t low = 0, high = list->n;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (list->sockets[middle].key.port < port)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/* Choose among the part's sockets on the key's port. */
static int choose_in_part(const struct snapshot_part *part, const struct reuseport_key *key,
			  uint32_t program_id, struct group_members *members)
{
	const struct sock_diag_list *all = &part->all.on_port;
	size_t first = first_on_port(all, key->port);
	struct group_members chosen = { .known = part->all.known, .kernel = part->all.kernel };
	int ret;

	chosen.on_port.n = first_on_port(all, key->port + 1u) - first;
	if (chosen.on_port.n)
		chosen.on_port.sockets = all->sockets + first;
	ret = group_members_choose(key, program_id, &chosen);
	/* These two stay the part's. */
	chosen.on_port = (struct sock_diag_list){ 0 };
	chosen.kernel = (struct member_list){ 0 };
	if (ret)
		group_members_free(&chosen);
	else
		*members = chosen;
	return ret;
}

int group_snapshot_members(struct group_snapshot *snapshot, const struct reuseport_key *key,
			   const struct netns_ref *ns, uint32_t program_id,
			   struct group_members *members, bool *fresh, struct reuseport_error *err)
{
	struct snapshot_part *part = find_part(snapshot, key, ns->cookie);
	int ret = 0;

	*fresh = !part || !part->valid;
	if (!part)
		part = add_part(snapshot, key, ns->cookie);
	if (!part)
		return fail(err, ENOMEM, "out of memory");
	if (!part->valid)
		ret = read_part(snapshot, part, ns, err);
	if (ret || part->gone)
		return ret ? ret : fail(err, ENETDOWN, "the network namespace is gone");
	ret = choose_in_part(part, key, program_id, members);
	return ret ? fail(err, -ret, "cannot choose among the groups: %s", strerror(-ret)) : 0;
}

int group_snapshot_for_each_plain(const struct group_snapshot *snapshot,
				  const struct reuseport_key *key, const struct netns_ref *ns,
				  int (*fn)(void *ctx, const struct reuseport_key *key), void *ctx)
{
	const struct snapshot_part *part = find_part(snapshot, key, ns->cookie);
	const struct sock_diag_list *all = part ? &part->all.on_port : NULL;
	int ret = 0;

	if (!part || !part->valid || !part->all.known)
		return 0;
	for (size_t i = first_on_port(all, key->port);
	     !ret && i < all->n && all->sockets[i].key.port == key->port; i++) {
		const struct sock_diag_socket *socket = &all->sockets[i];
		const struct group_member *member = group_iter_find(&part->all.kernel,
								    socket->cookie);

		/* One that joins the group of the key right now may have none yet. */
		if (member && !member->has_prog && !group_key_same_place(&socket->key, key))
			ret = fn(ctx, &socket->key);
	}
	return ret;
}

void group_snapshot_forget(struct group_snapshot *snapshot, const struct reuseport_key *key)
{
	for (size_t i = 0; i < snapshot->n; i++) {
		struct snapshot_part *part = &snapshot->parts[i];

		if (part->netns != key->netns || part->proto != key->proto)
			continue;
		group_members_free(&part->all);
		part->valid = part->gone = false;
	}
}

void group_snapshot_free(struct group_snapshot *snapshot)
{
	for (size_t i = 0; i < snapshot->n; i++)
		group_members_free(&snapshot->parts[i].all);
	free(snapshot->parts);
	free(snapshot->places);
	*snapshot = (struct group_snapshot){ 0 };
}
