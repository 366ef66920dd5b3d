// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* Membership: make the array follow the members of the group. */
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "error.h"
#include "host/proc.h"
#include "keeper/join.h"
#include "keeper/membership.h"
#include "keeper/slots.h"
#include "sockets/newest_fd.h"
#include "sockets/sock_diag.h"
#include "sockets/socket_owners.h"
#include "state/sockarray.h"

#define REFUSED_PAUSE_NS (500 * CLOCK_MS)

/* ------------------------------------------------------------------- join */

int membership_join(struct reuseport_group *group, uint64_t cookie, uint32_t inode, uint32_t pid)
{
	struct socket_owner *last = &group->loop.last;
	struct socket_owner owner = { .inode = inode, .pid = pid };
	struct socket_owners owners = { .list = &owner, .n = 1 };

	if (slots_find(group, cookie) != SLOT_NONE)
		return 0;
	if (!inode)
		return -EAGAIN;
	owner.fd = newest_fd_find(inode, pid, last->pid == pid ? last->fd : -1);
	if (owner.fd < 0)
		return -ENOENT;
	proc_comm(pid, owner.comm);
	*last = owner;
	return join_member(group, &owners, cookie, inode);
}

/* ------------------------------------------------------------------ leave */

int membership_leave(struct reuseport_group *group, uint64_t cookie)
{
	unsigned int slot = slots_find(group, cookie);

	if (slot == SLOT_NONE)
		return 0;
	if (attachment_holds(&group->at, slot, cookie))
		return -EAGAIN;
	slots_release(group, slot);
	return 0;
}

static void membership_release_departed(struct reuseport_group *group,
					const struct sock_diag_list *members)
{
	for (unsigned int slot = 0; slot < group->at.entry.slots; slot++) {
		struct slot *at = &group->slots[slot];
		const struct sock_diag_socket *member;

		if (!at->cookie)
			continue;
		member = sock_diag_find(members, at->cookie);
		if (member && attachment_holds(&group->at, slot, at->cookie))
			at->inode = member->inode;
		else if (!attachment_holds(&group->at, slot, at->cookie))
			slots_release(group, slot);
	}
}

/* ------------------------------------------------------------------- sync */

/* Return a checksum of the members without a slot, 0 if there are none. */
static uint64_t membership_newcomers(const struct reuseport_group *group,
				     const struct sock_diag_list *members)
{
	const uint64_t spread = 0x9e3779b97f4a7c15ULL;
	uint64_t sum = 0;

	for (size_t i = 0; i < members->n; i++)
		sum += members->sockets[i].cookie * spread;
	for (unsigned int slot = 0; slot < group->at.entry.slots; slot++)
		if (group->slots[slot].cookie && sock_diag_find(members, group->slots[slot].cookie))
			sum -= group->slots[slot].cookie * spread;
	return sum;
}

/*
 * Return whether to search for the owners of members without a slot. The search is
 * expensive, so members that could not join, because they lack a slot or SO_REUSEPORT, are
 * left alone for a while.
 */
static bool membership_may_join(const struct reuseport_group *group,
				const struct sock_diag_list *members)
{
	uint64_t sum = membership_newcomers(group, members);

	return sum && (sum != group->refused || clock_ns(CLOCK_MONOTONIC) >= group->refused_until);
}

int membership_sync(struct reuseport_group *group, bool refresh, struct reuseport_error *err)
{
	bool runs = owner_search_runs(&group->search), quiet;
	struct sock_diag_list members;
	int ret;

	slots_choose_hint(group);
	ret = sock_diag_members(&group->at.key, &group->ns, &members, err);
	if (ret)
		return ret;
	membership_release_departed(group, &members);
	quiet = membership_newcomers(group, &members) == group->refused;
	if (members.n && (refresh || membership_may_join(group, &members)))
		ret = owner_search_begin(&group->search, &members,
					 refresh ? OWNERS_SERVING : OWNERS_ANY);
	if (!runs)
		group->search.quiet = quiet;
	free(members.sockets);
	/* Too many helpers hang. The next time there may be one. */
	if (ret == -EBUSY)
		return 0;
	return ret ? fail(err, -ret, "cannot look through /proc: %s", strerror(-ret)) : 0;
}

/* ----------------------------------------------------------------- search */

/* Apply the result to one member: its worker joins, or has another process now. */
static void membership_apply(struct reuseport_group *group, const struct sock_diag_socket *member)
{
	struct owner_search *search = &group->search;
	unsigned int slot = slots_find(group, member->cookie);
	const struct socket_owner *first;
	size_t n = socket_owners_of(&search->owners, member->inode, &first);

	if (n && slot != SLOT_NONE && search->owners.serving)
		slots_set_server(group, slot, socket_owners_server(first, n));
	if (n && slot == SLOT_NONE && !search->full)
		search->full = join_member(group, &search->owners, member->cookie, member->inode) ==
			       -ENOSPC;
}

static void membership_end_search(struct reuseport_group *group)
{
	group->refused = membership_newcomers(group, &group->search.members);
	group->refused_until = clock_ns(CLOCK_MONOTONIC) + REFUSED_PAUSE_NS;
	group->loop.resync_due |= group->search.again;
	owner_search_end(&group->search);
}

void membership_search(struct reuseport_group *group, unsigned int budget, uint64_t until)
{
	struct owner_search *search = &group->search;

	if (!owner_search_step(search, budget))
		return;
	do
		membership_apply(group, &search->members.sockets[search->next++]);
	while (search->next < search->members.n && clock_ns(CLOCK_MONOTONIC) < until);
	group->loop.more |= search->next < search->members.n;
	if (search->next == search->members.n)
		membership_end_search(group);
}

int membership_sync_all(struct reuseport_group *group, struct reuseport_error *err)
{
	int ret = membership_sync(group, true, err);

	while (owner_search_runs(&group->search)) {
		owner_search_wait(&group->search);
		membership_search(group, UINT_MAX, UINT64_MAX);
	}
	return ret;
}

/* ------------------------------------------------------------- first fill */

/* Give a slot to each member that has none. Note what hinders one. A limit of this process
 * hinders all of them. */
static int membership_take(struct reuseport_group *group, const struct sock_diag_list *members,
			   struct membership_fill *fill)
{
	for (size_t i = 0; i < members->n; i++) {
		const struct sock_diag_socket *member = &members->sockets[i];
		struct reuseport_error error = { 0 };
		int ret;

		if (slots_find(group, member->cookie) != SLOT_NONE)
			continue;
		ret = join_claim(group, &fill->owners, member->cookie, member->inode, NULL, &error);
		fill->busy |= ret == -EBUSY;
		/* A socket in another array can be had later, so its text is the best. */
		if (error.code && (ret == -EBUSY || !fill->reason.code))
			fill->reason = error;
		if (error_is_limit(ret)) {
			fill->reason = error;
			return ret;
		}
	}
	return 0;
}

int membership_fill(struct reuseport_group *group, const struct sock_diag_list *members,
		    struct membership_fill *fill, struct reuseport_error *err)
{
	int ret;

	membership_fill_end(fill);
	ret = socket_owners_scan_members(members, OWNERS_ANY, &fill->owners);
	/* Which of several processes serves a socket, the keeper looks as soon as it runs. */
	group->loop.refresh_at = clock_ns(CLOCK_MONOTONIC);
	if (ret)
		return fail(err, -ret, "cannot look through /proc: %s", strerror(-ret));
	ret = membership_take(group, members, fill);
	if (!fill->reason.code && fill->owners.denied)
		fail(&fill->reason, EPERM,
		     "cannot look into the processes that have the sockets of %s open: "
		     "CAP_SYS_PTRACE is needed: run as root",
		     group->at.text);
	else if (!fill->reason.code)
		fail(&fill->reason, ENOENT,
		     "no process that is visible here has the socket open: is it in "
		     "another PID namespace?");
	if (!ret && group->workers)
		return 0;
	if (err)
		*err = fill->reason;
	return -fill->reason.code;
}

void membership_fill_end(struct membership_fill *fill)
{
	free(fill->owners.list);
	*fill = (struct membership_fill){ 0 };
}
