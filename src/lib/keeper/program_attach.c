// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* Attach the program to the group, and check which one it has. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <syslog.h>
#include <unistd.h>

#include "error.h"
#include "host/reuseport_sockopt.h"
#include "keeper/program_attach.h"
#include "sockets/pidfd_socket.h"
#include "state/sockarray.h"

/* Attach it through one socket of the group. */
static int program_attach(const struct reuseport_group *group, int member,
			  struct reuseport_error *err)
{
	int ret = sockopt_set_program(member, group->at.steering.program);

	if (ret == -EPERM)
		return fail(err, EPERM,
			    "cannot attach to %s: the server has locked its sockets "
			    "with SO_LOCK_FILTER",
			    group->at.text);
	if (ret)
		return fail(err, -ret, "cannot attach the program to %s: %s", group->at.text,
			    strerror(-ret));
	return 0;
}

/* Attach it through a socket that a process has open. */
static int program_attach_through(const struct reuseport_group *group,
				  const struct socket_owners *owners,
				  const struct sock_diag_socket *member,
				  struct reuseport_error *err)
{
	int fd = pidfd_socket_get_from(owners, member, err), ret = -ENOENT;

	if (fd < 0)
		return fd;
	/* Where the kernel does not tell, a plain socket may have the key. */
	if (socket_has_reuseport(fd) == 1 &&
	    socket_matches_key(fd, &group->at.key, &group->ns) == 1)
		ret = program_attach(group, fd, err);
	close(fd);
	return ret;
}

int program_attach_any(const struct reuseport_group *group, const struct sock_diag_list *members,
		       const struct socket_owners *owners, struct reuseport_error *err)
{
	struct reuseport_error error;
	int ret = fail(err, ENOENT, "no visible process has a socket of %s open", group->at.text);

	for (size_t i = 0; ret && i < members->n; i++) {
		int one = program_attach_through(group, owners, &members->sockets[i], &error);

		/* That a member has closed says nothing of the others. */
		if (one && (one == -ENOENT || one == -ESTALE))
			continue;
		ret = one;
		if (one && err)
			*err = error;
	}
	return ret;
}

/* Return 1 for our program, 0 for none, else fail. */
static int program_attach_classify(const struct reuseport_group *group,
				   const struct group_program *present, struct reuseport_error *err)
{
	const char *name = present->id ? present->name : "classic BPF";

	if (!present->present)
		return 0;
	if (present->id && present->id == group->at.steering.program_id)
		return 1;
	if (!strcmp(name, GROUP_PROGRAM_NAME))
		return fail(err, EEXIST,
			    "%s has a program %s (id %u) that is not pinned here: it belongs to "
			    "another bpffs (a container's, say), or its pins were removed: "
			    "detach it there, or force the attach to replace it",
			    group->at.text, name, present->id);
	return fail(err, EEXIST,
		    "%s has another program already (id %u%s%s): detach it with the "
		    "tool that attached it, or force the attach to replace it",
		    group->at.text, present->id, *name ? ", " : "", name);
}

int program_attach_check(const struct reuseport_group *group, const struct group_members *members,
			 struct reuseport_error *err)
{
	if (!members->known || !members->sockets.n)
		return 0;
	return program_attach_classify(group, &members->program, err);
}

/* Return 1 if the group of a socket has our program, 0 if it has none, or where the kernel
 * cannot tell. -EEXIST: it has another. -ENOENT: the socket is in no group. */
static int program_attach_check_group_of(struct reuseport_group *group, uint64_t cookie,
					 struct reuseport_error *err)
{
	struct group_program present;
	int ret;

	ret = handle_open_reader(group, err);
	if (ret || !group->reader)
		return ret;
	ret = group_iter_program_of(group->reader, &group->ns, group->at.key.proto, cookie,
				    &present, err);
	return ret ? ret : program_attach_classify(group, &present, err);
}

/*
 * Return whether an earlier worker shares the group with a newcomer. It does if it is still in
 * the array after the newcomer was put there: there is only one group of that key, and a socket
 * leaves the array before it leaves the group.
 */
static bool has_older_member(const struct reuseport_group *group, uint64_t cookie)
{
	for (unsigned int slot = 0; slot < group->at.entry.slots; slot++) {
		uint64_t other = group->slots[slot].cookie;

		if (other && other != cookie && attachment_holds(&group->at, slot, other))
			return true;
	}
	return false;
}

int program_attach_if_recreated(struct reuseport_group *group, int member, uint64_t cookie,
				struct reuseport_error *err)
{
	int ret;

	if (!group->program_due && has_older_member(group, cookie))
		return 0;
	ret = group->force ? 0 : program_attach_check_group_of(group, cookie, err);
	group->program_due = false;
	if (ret == 1)
		return 0;
	if (ret < 0 && ret != -ENOENT)
		return ret;
	ret = program_attach(group, member, err);
	/* A member that has locked its socket does not decide for those that follow. */
	group->program_due = ret == -EPERM;
	if (ret)
		return ret;
	handle_log(group, LOG_INFO, "%s was recreated and is steered again", group->at.text);
	return 0;
}
