// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* Join: duplicate a member's socket and give it a slot. */
#include <errno.h>
#include <string.h>
#include <syslog.h>
#include <unistd.h>

#include "error.h"
#include "keeper/join.h"
#include "keeper/program_attach.h"
#include "keeper/slots.h"
#include "sockets/pidfd_socket.h"

static int explain_claim(const struct reuseport_group *group, int code, uint32_t pid,
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

/* Return 0 if the socket may have a slot of the group, or -errno, see join_claim(). */
static int check_member(const struct reuseport_group *group, int fd)
{
	int ret;

	if (socket_has_reuseport(fd) == 0)
		return -ESTALE;
	ret = socket_matches_key(fd, &group->at.key, &group->ns);
	if (ret > 0)
		return 0;
	/* Whose socket it is could not be told: it may be another time. */
	return ret ? -EAGAIN : -EXDEV;
}

/* Duplicate the socket of one process and give it a slot. *via receives the duplicate; it is
 * closed at once if via is NULL. */
static int claim_from(struct reuseport_group *group, const struct socket_owner *owner,
		      uint64_t cookie, int *via, struct reuseport_error *err)
{
	int fd = pidfd_socket_get(owner, cookie, err), ret;

	if (fd < 0)
		return fd;
	ret = check_member(group, fd);
	if (ret) {
		close(fd);
		return ret;
	}
	ret = slots_claim(group, fd, cookie, owner);
	if (ret)
		explain_claim(group, -ret, owner->pid, err);
	if (!ret && via)
		*via = fd;
	else
		close(fd);
	return ret;
}

int join_claim(struct reuseport_group *group, const struct socket_owners *owners, uint64_t cookie,
	       uint32_t inode, int *via, struct reuseport_error *err)
{
	const struct socket_owner *first, *server;
	size_t n = socket_owners_of(owners, inode, &first);
	int ret = -ESTALE;

	if (!n)
		return -ESTALE;
	server = socket_owners_server(first, n);
	ret = claim_from(group, server, cookie, via, err);
	for (size_t i = 0; (ret == -ESTALE || ret == -EPERM || ret == -EINVAL) && i < n; i++)
		if (&first[i] != server)
			ret = claim_from(group, &first[i], cookie, via, err);
	return ret;
}

static void log_failure(struct reuseport_group *group, int code,
			const struct reuseport_error *error)
{
	if (group->search.quiet || (code == ENOSPC && group->full_logged))
		return;
	group->full_logged = code == ENOSPC;
	handle_log(group, LOG_ERR, "%s", error->text);
}

int join_member(struct reuseport_group *group, const struct socket_owners *owners, uint64_t cookie,
		uint32_t inode)
{
	struct reuseport_error error = { 0 };
	int via = -1, ret;

	ret = join_claim(group, owners, cookie, inode, &via, &error);
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
		log_failure(group, -ret, &error);
	if (!error_is_limit(ret))
		return ret;
	/* With it in its slot, no later attempt would look for the program. */
	slots_evict(group, cookie);
	return -EAGAIN;
}
