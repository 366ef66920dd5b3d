// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* Put back the program of a group that has lost it, beside this process. */
#include <errno.h>
#include <syslog.h>

#include "host/look.h"
#include "keeper/program_attach.h"
#include "keeper/program_mend.h"
#include "keeper/program_put_back.h"
#include "sockets/group_iter.h"
#include "sockets/pidfd_socket.h"
#include "sockets/socket_visit.h"

/* --------------------------------------------------------------- in a helper */

/* To read which program the group has can hang, but not by the process at hand. */
static int mend_by_socket(struct socket_visit *visit, int fd, struct socket_visited *visited)
{
	const struct program_mend *mend = visit->ctx;
	struct reuseport_group *group = mend->group;
	uint64_t cookie = visit->sockets[visited->index].cookie;
	int ret;

	if (socket_has_reuseport(fd) != 1 ||
	    socket_matches_key(fd, &group->at.key, &group->ns) != 1)
		return -ENOENT;
	look_at(visit->report, 0);
	ret = program_attach_is_missing(group, cookie, &visited->error);
	if (ret <= 0)
		return ret;
	look_at(visit->report, visited->owner.pid);
	ret = program_attach_again(group, fd, &visited->error);
	visited->found = !ret;
	return ret;
}

/* ----------------------------------------------------------- in this process */

static void take_mended(void *ctx, const struct socket_visited *visited)
{
	struct program_mend *mend = ctx;

	/* That a member has closed says nothing of the others. */
	if (!mend->ret || visited->ret == -ENOENT || visited->ret == -ESTALE)
		return;
	mend->ret = visited->ret;
	mend->put_back = visited->found;
	mend->error = visited->error;
}

/* Say what came of it. A group that was recreated may have got the program by a join meanwhile. */
static void mend_end(struct reuseport_group *group)
{
	struct program_mend *mend = group->loop.mend;

	if (mend->put_back)
		handle_log(group, LOG_WARNING,
			   "%s: the program was gone from the group, so the kernel picked; it is "
			   "put back",
			   group->at.text);
	if (mend->ret != group->loop.mend_failed && mend->ret && mend->error.code)
		handle_log(group, LOG_ERR, "%s", mend->error.text);
	group->loop.mend_failed = mend->ret;
	program_mend_free(mend);
	group->loop.mend = NULL;
}

/* Note the members that have a slot, each with the process that serves it. */
static void mend_note_members(struct program_mend *mend)
{
	const struct reuseport_group *group = mend->group;
	struct socket_visit *visit = mend->visit;

	for (unsigned int slot = 0; slot < group->at.entry.slots; slot++) {
		const struct slot *at = &group->slots[slot];
		struct socket_owner *owner = &mend->owners[visit->n];

		if (!at->cookie || at->reserved)
			continue;
		*owner = (struct socket_owner){ .inode = at->inode, .pid = at->pid, .fd = -1 };
		visit->sockets[visit->n++] =
			(struct socket_to_visit){ .cookie = at->cookie, .owners = owner, .n = 1 };
	}
}

static void mend_begin(struct reuseport_group *group)
{
	struct program_mend *mend;
	struct socket_visit *visit;

	group->loop.mend_due = false;
	if (steering_open_program(&group->at.steering, group->at.dir) < 0 ||
	    handle_open_reader(group, NULL) || !group->reader)
		return;
	mend = program_mend_new(group, group->at.entry.slots);
	if (!mend)
		return;
	group->loop.mend = mend;
	visit = mend->visit;
	mend_note_members(mend);
	visit->fn = mend_by_socket;
	visit->take = take_mended;
	visit->ctx = mend;
	visit->first_only = true;
	visit->keep[visit->n_keep++] = group->at.steering.program;
	visit->n_keep += group_iter_fds(group->reader, visit->keep + visit->n_keep);
	if (!look_isolated() || !visit->n)
		socket_visit_run(visit);
	else
		socket_visit_begin(visit, &mend->look);
	if (!mend->look)
		mend_end(group);
}

void program_put_back(struct reuseport_group *group)
{
	struct program_mend *mend = group->loop.mend;
	int ret;

	if (mend && look_step(mend->look, &ret))
		mend_end(group);
	else if (!mend && group->loop.mend_due)
		mend_begin(group);
}
