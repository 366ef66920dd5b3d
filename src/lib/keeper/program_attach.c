// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* Attach the program to the group, and check which one it has. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "error.h"
#include "host/reuseport_sockopt.h"
#include "keeper/program_attach.h"
#include "sockets/pidfd_socket.h"
#include "sockets/socket_visit.h"
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

/* What came of visits to the members. */
struct attach_visits {
	const struct reuseport_group *group;
	int ret;
	struct reuseport_error *err;
};

/* Where the kernel does not tell, a plain socket may have the key. */
static int attach_by_socket(struct socket_visit *visit, int fd, struct socket_visited *visited)
{
	const struct attach_visits *visits = visit->ctx;
	const struct reuseport_group *group = visits->group;

	if (socket_has_reuseport(fd) != 1 ||
	    socket_matches_key(fd, &group->at.key, &group->ns) != 1)
		return -ENOENT;
	return program_attach(group, fd, &visited->error);
}

static void take_attached(void *ctx, const struct socket_visited *visited)
{
	struct attach_visits *visits = ctx;

	/* That a member has closed says nothing of the others. */
	if (!visits->ret || visited->ret == -ENOENT || visited->ret == -ESTALE)
		return;
	visits->ret = visited->ret;
	if (visited->ret && visits->err)
		*visits->err = visited->error;
}

int program_attach_any(const struct reuseport_group *group, const struct sock_diag_list *members,
		       const struct socket_owners *owners, struct reuseport_error *err)
{
	struct attach_visits visits = { .group = group, .err = err };
	struct socket_visit visit = { .sockets = socket_visit_list(members, owners),
				      .n = members->n,
				      .fn = attach_by_socket,
				      .take = take_attached,
				      .ctx = &visits,
				      .first_only = true,
				      .keep = { group->at.steering.program },
				      .n_keep = 1 };
	int ret;

	visits.ret = fail(err, ENOENT, "no visible process has a socket of %s open",
			  group->at.text);
	ret = visit.sockets ? socket_visit_run(&visit) : -ENOMEM;
	free(visit.sockets);
	if (ret && visits.ret == -ENOENT)
		return fail(err, -ret, "cannot attach the program to %s: %s", group->at.text,
			    strerror(-ret));
	return visits.ret;
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

bool program_attach_is_due(const struct reuseport_group *group, uint64_t cookie)
{
	return group->program_due || !has_older_member(group, cookie);
}

int program_attach_is_missing(struct reuseport_group *group, uint64_t cookie,
			      struct reuseport_error *err)
{
	int ret = group->force ? 0 : program_attach_check_group_of(group, cookie, err);

	if (ret == -ENOENT || ret == -EOPNOTSUPP)
		return 1;
	return ret < 0 ? ret : !ret;
}

int program_attach_again(struct reuseport_group *group, int member, struct reuseport_error *err)
{
	int ret = program_attach(group, member, err);

	/* A member that has locked its socket does not decide for those that follow. */
	group->program_due = ret == -EPERM;
	return ret;
}
