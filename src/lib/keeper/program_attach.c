// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* Attach the program to the group, and check which one it has. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <syslog.h>

#include "error.h"
#include "host/reuseport_sockopt.h"
#include "keeper/program_attach.h"
#include "sockets/group_iter.h"
#include "sockets/sock_diag.h"
#include "state/sockarray.h"

int program_attach(const struct reuseport_group *group, int member, struct reuseport_error *err)
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

int program_attach_check(struct reuseport_group *group, uint64_t cookie,
			 struct group_program *foreign, struct reuseport_error *err)
{
	int ret;

	*foreign = (struct group_program){ 0 };
	/* It stays open: loading it is what takes time when a group is recreated. */
	if (!group->reader && group_iter_open(&group->reader, NULL))
		return 1;
	ret = group_iter_program_of(group->reader, &group->ns, group->at.key.proto, cookie, foreign,
				    err);
	if (ret)
		return ret;
	if (!foreign->present)
		return 0;
	if (foreign->id && foreign->id == group->at.steering.program_id)
		return 1;
	if (!foreign->id)
		snprintf(foreign->name, sizeof(foreign->name), "classic BPF");
	return fail(err, EEXIST,
		    "%s has another program already (id %u%s%s): detach it with the "
		    "tool that attached it, or force the attach to replace it",
		    group->at.text, foreign->id, *foreign->name ? ", " : "", foreign->name);
}

int program_attach_check_any(struct reuseport_group *group, const struct sock_diag_list *members,
			     struct group_program *foreign, struct reuseport_error *err)
{
	int ret = -ENOENT;

	for (size_t i = 0; ret == -ENOENT && i < members->n; i++)
		ret = program_attach_check(group, members->sockets[i].cookie, foreign, err);
	return ret;
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
	struct group_program foreign;
	int ret;

	if (has_older_member(group, cookie))
		return 0;
	ret = group->force ? 0 : program_attach_check(group, cookie, &foreign, err);
	if (ret == 1 && foreign.present)
		return 0;
	if (ret < 0 && ret != -ENOENT)
		return ret;
	ret = program_attach(group, member, err);
	if (ret)
		return ret;
	handle_log(group, LOG_INFO, "%s was recreated and is steered again", group->at.text);
	return 0;
}
