// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* Membership: make the array follow the members of the group. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>
#include <unistd.h>

#include "clock.h"
#include "error.h"
#include "keeper/membership.h"
#include "keeper/program_attach.h"
#include "keeper/slots.h"
#include "sockets/pidfd_socket.h"
#include "sockets/sock_diag.h"
#include "sockets/socket_owners.h"
#include "state/sockarray.h"

#define REFUSED_PAUSE_NS (500 * CLOCK_MS)

/* ------------------------------------------------------------------- join */

static int membership_explain_claim(const struct reuseport_group *group, int code, uint32_t pid,
				    struct reuseport_error *err)
{
	if (code == ENOSPC)
		return fail(err, code,
			    "%s has more workers than slots (%u): detach, then attach with "
			    "more slots",
			    group->at.text, group->at.entry.slots);
	if (code == EBUSY)
		return fail(err, code,
			    "a socket of process %u is in another program's sockarray: "
			    "end that program ('bpftool map' lists reuseport_sockarray maps)",
			    pid);
	return fail(err, code, "cannot put a socket of process %u into the array: %s", pid,
		    strerror(code));
}

/* Duplicate the socket of one process and give it a slot. *via receives the duplicate; it is
 * closed at once if via is NULL. */
static int membership_claim_from(struct reuseport_group *group, const struct socket_owner *owner,
				 uint64_t cookie, int *via, struct reuseport_error *err)
{
	int fd = pidfd_socket_get(owner->pid, owner->fd, cookie, err), ret;

	if (fd < 0)
		return fd;
	if (socket_has_reuseport(fd) == 0) {
		close(fd);
		return -ESTALE;
	}
	if (!socket_matches_key(fd, &group->at.key)) {
		close(fd);
		return -EXDEV;
	}
	ret = slots_claim(group, fd, cookie, owner->inode, owner->pid);
	if (ret)
		membership_explain_claim(group, -ret, owner->pid, err);
	if (!ret && via)
		*via = fd;
	else
		close(fd);
	return ret;
}

/*
 * Claim the socket from the process that serves it, or else from any other that has it open:
 * the first may have ended.
 */
static int membership_claim(struct reuseport_group *group, const struct socket_owners *h,
			    uint64_t cookie, uint32_t inode, int *via, struct reuseport_error *err)
{
	const struct socket_owner *first, *server;
	size_t n = socket_owners_of(h, inode, &first);
	int ret = -ESTALE;

	if (!n)
		return -ESTALE;
	server = socket_owners_server(first, n);
	ret = membership_claim_from(group, server, cookie, via, err);
	for (size_t i = 0; ret == -ESTALE && i < n; i++)
		if (&first[i] != server)
			ret = membership_claim_from(group, &first[i], cookie, via, err);
	return ret;
}

static void membership_log_failure(struct reuseport_group *group, int code,
				   const struct reuseport_error *error)
{
	if (code == ENOSPC && group->full_logged)
		return;
	group->full_logged = code == ENOSPC;
	handle_log(group, LOG_ERR, "%s", error->text);
}

/* Let one socket join. Failures are logged, except those that may pass: -EAGAIN. */
static int membership_join_one(struct reuseport_group *group, const struct socket_owners *h,
			       uint64_t cookie, uint32_t inode)
{
	struct reuseport_error error = { 0 };
	int via = -1, ret;

	ret = membership_claim(group, h, cookie, inode, &via, &error);
	if (ret == -ESTALE || ret == -EAGAIN)
		return -EAGAIN;
	/* Events are of a port: a group on another address has its own keeper. */
	if (ret == -EXDEV)
		return 0;
	if (!ret) {
		ret = program_attach_if_recreated(group, via, cookie, &error);
		close(via);
	}
	if (ret)
		membership_log_failure(group, -ret, &error);
	return ret;
}

/* The guess first; the whole of /proc if there is none. */
static int membership_find_owners(uint32_t inode, uint32_t pid, struct socket_owners *owners)
{
	struct socket_owner owner;

	if (!pid)
		return socket_owners_scan(&inode, 1, owners);
	*owners = (struct socket_owners){ 0 };
	if (!owner_scan_newest(inode, pid, &owner))
		return 0;
	owners->list = malloc(sizeof(owner));
	if (!owners->list)
		return -ENOMEM;
	owners->list[owners->n++] = owner;
	return 0;
}

int membership_join(struct reuseport_group *group, uint64_t cookie, uint32_t inode, uint32_t pid)
{
	struct socket_owners owners;
	int ret;

	if (slots_find(group, cookie) != SLOT_NONE)
		return 0;
	if (!inode || membership_find_owners(inode, pid, &owners))
		return -EAGAIN;
	ret = membership_join_one(group, &owners, cookie, inode);
	free(owners.list);
	return ret;
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

/* ------------------------------------------------------------------- full */

/* Find the processes that have the members without a slot open. */
static int membership_scan_newcomers(const struct reuseport_group *group,
				     const struct sock_diag_list *members, struct socket_owners *h)
{
	uint32_t *inodes = calloc(members->n + 1, sizeof(*inodes));
	size_t n = 0;
	int ret;

	if (!inodes)
		return -ENOMEM;
	for (size_t i = 0; i < members->n; i++)
		if (slots_find(group, members->sockets[i].cookie) == SLOT_NONE)
			inodes[n++] = members->sockets[i].inode;
	ret = socket_owners_scan(inodes, n, h);
	free(inodes);
	return ret;
}

static void membership_refresh_servers(struct reuseport_group *group,
				       const struct sock_diag_list *members)
{
	const struct socket_owner *first;
	struct socket_owners owners;

	if (socket_owners_scan_members(members, &owners))
		return;
	for (size_t i = 0; i < members->n; i++) {
		unsigned int slot = slots_find(group, members->sockets[i].cookie);
		size_t n = socket_owners_of(&owners, members->sockets[i].inode, &first);

		if (slot != SLOT_NONE && n)
			slots_set_server(group, slot, socket_owners_server(first, n)->pid);
	}
	free(owners.list);
}

/* Return a checksum of the members without a slot, 0 if there are none. */
static uint64_t membership_newcomers(const struct reuseport_group *group,
				     const struct sock_diag_list *members)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < members->n; i++)
		if (slots_find(group, members->sockets[i].cookie) == SLOT_NONE)
			sum += members->sockets[i].cookie * 0x9e3779b97f4a7c15ULL;
	return sum;
}

/*
 * Let all members without a slot join. The scan of /proc is expensive, so members that could
 * not join, because they lack a slot or SO_REUSEPORT, are left alone for a while.
 */
static void membership_join_newcomers(struct reuseport_group *group,
				      const struct sock_diag_list *members)
{
	uint64_t sum = membership_newcomers(group, members);
	struct socket_owners owners;
	int ret = 0;

	if (!sum || (sum == group->refused && clock_ns(CLOCK_MONOTONIC) < group->refused_until))
		return;
	if (membership_scan_newcomers(group, members, &owners))
		return;
	for (size_t i = 0; ret != -ENOSPC && owners.n && i < members->n; i++)
		if (slots_find(group, members->sockets[i].cookie) == SLOT_NONE)
			ret = membership_join_one(group, &owners, members->sockets[i].cookie,
						  members->sockets[i].inode);
	free(owners.list);
	group->refused = membership_newcomers(group, members);
	group->refused_until = clock_ns(CLOCK_MONOTONIC) + REFUSED_PAUSE_NS;
}

int membership_sync(struct reuseport_group *group, bool refresh, struct reuseport_error *err)
{
	struct sock_diag_list members;
	int ret;

	ret = sock_diag_members(&group->at.key, &group->ns, &members, err);
	if (ret)
		return ret;
	membership_release_departed(group, &members);
	membership_join_newcomers(group, &members);
	if (refresh && members.n)
		membership_refresh_servers(group, &members);
	free(members.sockets);
	return 0;
}

/* ------------------------------------------------------------- first fill */

int membership_fill(struct reuseport_group *group, const struct sock_diag_list *members, int *via,
		    struct reuseport_error *err)
{
	struct socket_owners owners;
	int fd, ret;

	ret = membership_scan_newcomers(group, members, &owners);
	if (ret)
		return fail(err, -ret, "cannot look through /proc: %s", strerror(-ret));
	for (size_t i = 0; !ret && i < members->n; i++) {
		const struct sock_diag_socket *member = &members->sockets[i];

		if (slots_find(group, member->cookie) != SLOT_NONE)
			continue;
		fd = -1;
		ret = membership_claim(group, &owners, member->cookie, member->inode,
				       *via < 0 ? &fd : NULL, err);
		if (!ret && *via < 0)
			*via = fd;
		if (ret == -ESTALE || ret == -EAGAIN)
			ret = 0;
	}
	if (!ret && !group->workers)
		ret = owners.denied ?
			      fail(err, EPERM,
				   "cannot look into the processes that have the sockets of %s "
				   "open: CAP_SYS_PTRACE is needed: run as root",
				   group->at.text) :
			      fail(err, ENOENT, "no visible process has a socket of %s open",
				   group->at.text);
	free(owners.list);
	return ret;
}
