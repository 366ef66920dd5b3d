// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* Membership: make the array follow the members of the group. */
#include <errno.h>
#include <limits.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>

#include "clock.h"
#include "error.h"
#include "host/look.h"
#include "keeper/join.h"
#include "keeper/membership.h"
#include "keeper/server_change.h"
#include "keeper/slots.h"
#include "keeper/unadded.h"
#include "sockets/left_out.h"
#include "sockets/sock_diag.h"
#include "sockets/socket_owners.h"
#include "state/ages.h"
#include "state/sockarray.h"

#define REFUSED_PAUSE_NS (500 * CLOCK_MS)

/* ------------------------------------------------------------------ leave */

static void membership_release_departed(struct reuseport_group *group,
					const struct sock_diag_list *members)
{
	for (unsigned int slot = 0; slot < group->at.entry.slots; slot++) {
		struct slot *at = &group->slots[slot];
		const struct sock_diag_socket *member;

		if (!at->cookie || at->reserved)
			continue;
		member = sock_diag_find(members, at->cookie);
		if (member && attachment_holds(&group->at, slot, at->cookie))
			at->inode = member->inode;
		else if (!attachment_holds(&group->at, slot, at->cookie))
			slots_release(group, slot);
	}
}

/* Return whether a slot has a socket that is not among the members. */
static bool membership_is_other(const struct reuseport_group *group, unsigned int slot,
				const struct sock_diag_list *members)
{
	const struct slot *at = &group->slots[slot];

	return at->cookie && !at->reserved && !sock_diag_find(members, at->cookie) &&
	       attachment_holds(&group->at, slot, at->cookie);
}

static bool membership_has_other(const struct reuseport_group *group,
				 const struct sock_diag_list *members)
{
	for (unsigned int slot = 0; slot < group->at.entry.slots; slot++)
		if (membership_is_other(group, slot, members))
			return true;
	return false;
}

/* Take connected UDP sockets out of their slots: they are for one peer, and stay in the array. The
 * list of members has none; but it may be older than a join. */
static void membership_evict_connected(struct reuseport_group *group,
				       const struct sock_diag_list *members)
{
	struct sock_diag_list all;

	if (group->at.key.proto != IPPROTO_UDP || !membership_has_other(group, members) ||
	    sock_diag_members_all(&group->at.key, &group->ns, &all, NULL))
		return;
	for (unsigned int slot = 0; slot < group->at.entry.slots; slot++) {
		const struct sock_diag_socket *socket;

		if (!membership_is_other(group, slot, members))
			continue;
		socket = sock_diag_find(&all, group->slots[slot].cookie);
		if (socket && socket->connected)
			slots_evict(group, slot);
	}
	free(all.sockets);
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

/* List the members. What all groups of the host's keeper do from time to time needs one list of
 * a namespace's sockets for all of them. */
static int membership_list(struct reuseport_group *group, struct sock_diag_list *members,
			   struct reuseport_error *err)
{
	if (group->shared && !group->loop.resync_alone)
		return turn_members_of(&group->shared->turn, &group->at.key, &group->ns, members,
				       err);
	return sock_diag_members(&group->at.key, &group->ns, members, err);
}

int membership_sync(struct reuseport_group *group, bool refresh, struct reuseport_error *err)
{
	bool runs = owner_search_runs(&group->search), quiet;
	struct sock_diag_list members;
	uint64_t newcomers;
	int ret;

	slots_choose_hint(group);
	ret = membership_list(group, &members, err);
	if (ret)
		return ret;
	membership_release_departed(group, &members);
	membership_evict_connected(group, &members);
	newcomers = membership_newcomers(group, &members);
	if (!newcomers)
		ages_note(&group->at.view, AGE_LEFT_OUT, false);
	quiet = newcomers == group->refused;
	if (group->added_only)
		unadded_note(group, &members, newcomers);
	else if (members.n && (refresh || membership_may_join(group, &members)))
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

/* Each worker gets the process that serves it. */
static void membership_set_servers(struct reuseport_group *group)
{
	const struct owner_search *search = &group->search;
	bool changed = false;

	if (!search->owners.serving)
		return;
	for (size_t i = 0; i < search->members.n; i++) {
		const struct sock_diag_socket *member = &search->members.sockets[i];
		unsigned int slot = slots_find(group, member->cookie);
		const struct socket_owner *first;
		size_t n = socket_owners_of(&search->owners, member->inode, &first);

		if (n && slot != SLOT_NONE && !group->slots[slot].reserved)
			changed |= slots_set_server(group, slot, socket_owners_server(first, n));
	}
	server_change_note(group, changed);
}

/* Add a member that has no slot to those that join. */
static void membership_add_found(struct reuseport_group *group,
				 const struct sock_diag_socket *member)
{
	const struct socket_owner *first;
	size_t n = socket_owners_of(&group->search.owners, member->inode, &first);
	struct reuseport_error error;

	if (!n || group->search.full || slots_find(group, member->cookie) != SLOT_NONE ||
	    join_batch_add(group->found, member->cookie, first, n) != -ENOSPC)
		return;
	group->search.full = true;
	if (group->search.quiet || group->full_logged)
		return;
	group->full_logged = true;
	join_explain_full(group, &error);
	handle_log(group, LOG_ERR, "%s", error.text);
}

/* Let members without a slot join, from the next one on: all in one helper, or one at a time.
 * Return 0 or -errno. */
static int membership_join_found(struct reuseport_group *group)
{
	struct owner_search *search = &group->search;
	size_t max = look_isolated() ? search->members.n : 1;
	int ret = 0;

	group->found = join_batch_new(group, max);
	if (!group->found)
		return -ENOMEM;
	group->found->attaches = true;
	group->found->quiet = search->quiet;
	while (search->next < search->members.n && group->found->n < max)
		membership_add_found(group, &search->members.sockets[search->next++]);
	if (group->found->n)
		ret = join_batch_begin(group->found);
	if (ret) {
		join_batch_free(group->found);
		group->found = NULL;
	}
	return ret;
}

/* Write why a member has no slot, as far as it is known without a look at the io_uring instances of
 * all processes, for which nothing else is to wait. */
static void membership_say_why(const struct owner_search *search,
			       const struct sock_diag_socket *member, char why[LEFT_OUT_TEXT])
{
	const struct socket_owner *first;
	struct left_out left_out;

	if (member->mptcp || member->sockmap) {
		left_out_explain(member, &search->owners, &left_out);
		left_out_text(&left_out, why);
	} else if (!socket_owners_of(&search->owners, member->inode, &first)) {
		snprintf(why, LEFT_OUT_TEXT,
			 "no process that is visible here has it as a descriptor (only in an "
			 "io_uring, or in another PID namespace); the status says which");
	}
}

/* Return whether one of those without a slot is of a kind that cannot have one, ever. */
static bool membership_is_hopeless(const struct reuseport_group *group)
{
	const struct sock_diag_list *members = &group->search.members;

	for (size_t i = 0; i < members->n; i++)
		if ((members->sockets[i].mptcp || members->sockets[i].sockmap) &&
		    slots_find(group, members->sockets[i].cookie) == SLOT_NONE)
			return true;
	return false;
}

/* Log members that two searches could not give a slot, once; one is enough where it is certain. */
static void membership_log_refused(struct reuseport_group *group, uint64_t sum)
{
	const struct owner_search *search = &group->search;
	char why[LEFT_OUT_TEXT] = "the status says why";
	size_t n = 0;

	if (!sum || sum == group->refused_logged ||
	    (sum != group->refused && !membership_is_hopeless(group)))
		return;
	group->refused_logged = sum;
	for (size_t i = 0; i < search->members.n; i++) {
		const struct sock_diag_socket *member = &search->members.sockets[i];

		if (slots_find(group, member->cookie) != SLOT_NONE)
			continue;
		n++;
		membership_say_why(search, member, why);
	}
	if (n && !search->full)
		handle_log(group, LOG_WARNING,
			   "%s: %zu member%s without a slot, which no command reaches: %s",
			   group->at.text, n, n == 1 ? "" : "s", why);
}

static void membership_end_search(struct reuseport_group *group)
{
	uint64_t sum = membership_newcomers(group, &group->search.members);

	membership_log_refused(group, sum);
	ages_note(&group->at.view, AGE_LEFT_OUT, sum);
	map_view_store(&group->at.view);
	group->refused = sum;
	group->refused_until = clock_ns(CLOCK_MONOTONIC) + REFUSED_PAUSE_NS;
	/* The second search that it takes to say why. */
	if (sum && sum != group->refused_logged && group->loop.resync_at > group->refused_until)
		group->loop.resync_at = group->refused_until;
	group->loop.resync_due |= group->search.again;
	owner_search_end(&group->search);
}

/* Go on with those that join. Return whether none is under way. */
static bool membership_found_joined(struct reuseport_group *group)
{
	if (group->found && group->found->n && !join_batch_step(group->found))
		return false;
	join_batch_free(group->found);
	group->found = NULL;
	return true;
}

void membership_finish(struct reuseport_group *group)
{
	while (!membership_found_joined(group))
		join_batch_wait(group->found);
}

void membership_search(struct reuseport_group *group, unsigned int budget, uint64_t until)
{
	struct owner_search *search = &group->search;
	int ret = 0;

	if (!owner_search_step(search, budget) || !membership_found_joined(group))
		return;
	if (!search->next)
		membership_set_servers(group);
	do
		ret = membership_join_found(group);
	while (!ret && membership_found_joined(group) && search->next < search->members.n &&
	       clock_ns(CLOCK_MONOTONIC) < until);
	if (group->found)
		return;
	group->loop.more |= !ret && search->next < search->members.n;
	if (ret || search->next == search->members.n)
		membership_end_search(group);
}

int membership_search_fd(const struct reuseport_group *group, uint64_t *until)
{
	if (group->found && group->found->n)
		return join_batch_fd(group->found, until);
	return owner_search_fd(&group->search, until);
}

static void membership_search_wait(const struct reuseport_group *group)
{
	if (group->found && group->found->n)
		join_batch_wait(group->found);
	else
		owner_search_wait(&group->search);
}

int membership_sync_all(struct reuseport_group *group, struct reuseport_error *err)
{
	int ret = membership_sync(group, true, err);

	/* The host's keeper goes on meanwhile. */
	while (owner_search_runs(&group->search) && !owner_search_waits(&group->search)) {
		membership_search_wait(group);
		membership_search(group, UINT_MAX, UINT64_MAX);
	}
	return ret;
}

/* ------------------------------------------------------------- first fill */

/* Note what hinders a member. A socket in another array can be had later, so its text is the
 * best. */
static void membership_note(struct membership_fill *fill, int ret,
			    const struct reuseport_error *error)
{
	fill->busy |= ret == -EBUSY;
	if (error->code && (ret == -EBUSY || !fill->reason.code || error_is_limit(ret)))
		fill->reason = *error;
}

static int membership_add_all(struct join_batch *batch, const struct sock_diag_list *members,
			      struct membership_fill *fill)
{
	struct reuseport_error full;
	int ret = 0;

	for (size_t i = 0; !ret && i < members->n; i++) {
		const struct sock_diag_socket *member = &members->sockets[i];
		const struct socket_owner *first;
		size_t n = socket_owners_of(&fill->owners, member->inode, &first);

		/* What cannot be taken reserves no slot, so that those of the others have no gaps.
		 */
		if (n && !member->sockmap && !member->mptcp &&
		    slots_find(batch->group, member->cookie) == SLOT_NONE)
			ret = join_batch_add(batch, member->cookie, first, n);
	}
	if (ret != -ENOSPC)
		return ret;
	membership_note(fill, join_explain_full(batch->group, &full), &full);
	return 0;
}

/* Give a slot to each member that has none. Note what hinders one. A limit of this process
 * hinders all of them. */
static int membership_take(struct reuseport_group *group, const struct sock_diag_list *members,
			   struct membership_fill *fill)
{
	struct join_batch *batch = join_batch_new(group, members->n);
	int ret = batch ? membership_add_all(batch, members, fill) : -ENOMEM, limit = 0;

	if (!ret) {
		/* What hinders one is noted, and the caller tries again. */
		batch->quiet = true;
		ret = join_batch_run(batch);
	}
	for (size_t i = 0; (!ret || ret == -ETIMEDOUT) && i < batch->n; i++) {
		membership_note(fill, batch->joins[i].ret, &batch->joins[i].error);
		if (error_is_limit(batch->joins[i].ret))
			limit = batch->joins[i].ret;
	}
	/* What was taken counts. */
	if (ret == -ETIMEDOUT)
		ret = 0;
	join_batch_free(batch);
	if (ret && !fill->reason.code)
		fail(&fill->reason, -ret, "cannot give the sockets of %s their slots: %s",
		     group->at.text, strerror(-ret));
	return ret ? ret : limit;
}

/* No process was found that has a member open. */
static void membership_explain_unowned(const struct reuseport_group *group,
				       const struct sock_diag_list *members,
				       struct membership_fill *fill)
{
	struct left_out left_out = { 0 };
	char why[LEFT_OUT_TEXT];

	for (size_t i = 0; i < members->n && !left_out.reason; i++)
		if (slots_find(group, members->sockets[i].cookie) == SLOT_NONE)
			left_out_explain(&members->sockets[i], &fill->owners, &left_out);
	left_out_text(&left_out, why);
	fail(&fill->reason,
	     !left_out.reason                                    ? ENOENT :
	     left_out.reason == REUSEPORT_LEFT_OUT_NO_PERMISSION ? EPERM :
								   EOPNOTSUPP,
	     "%s%s: %s", group->at.text, left_out.reason ? " cannot be steered" : "", why);
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
	if (!fill->reason.code)
		membership_explain_unowned(group, members, fill);
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
