// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* Join: give sockets a slot of a group, many at a time. */
#include <errno.h>
#include <string.h>
#include <syslog.h>

#include "error.h"
#include "host/look.h"
#include "keeper/join.h"
#include "keeper/join_place.h"
#include "keeper/join_request.h"
#include "keeper/program_attach.h"
#include "keeper/slots.h"
#include "sockets/group_iter.h"
#include "sockets/socket_visit.h"

/* --------------------------------------------------------------- in a helper */

/* Put the program on a group that was recreated. To read which one it has can hang as well, but
 * not by this process. */
static int attach_if_missing(struct socket_visit *visit, int fd, uint64_t cookie,
			     struct socket_visited *visited)
{
	struct join_batch *batch = visit->ctx;
	int ret;

	visited->found |= JOIN_AWAITS;
	ret = socket_visit_tell(visit, visited);
	visited->found &= ~JOIN_AWAITS;
	look_at(visit->report, 0);
	if (!ret)
		ret = program_attach_is_missing(batch->group, cookie, &visited->error);
	batch->group->program_due = false;
	if (ret <= 0)
		return ret;
	look_at(visit->report, visited->owner.pid);
	ret = program_attach_again(batch->group, fd, &visited->error);
	if (!ret)
		visited->found |= JOIN_ATTACHED;
	if (batch->group->program_due)
		visited->found |= JOIN_DUE;
	return ret;
}

static int join_by_socket(struct socket_visit *visit, int fd, struct socket_visited *visited)
{
	const struct socket_to_visit *socket = &visit->sockets[visited->index];
	const struct join_batch *batch = visit->ctx;
	const struct attachment *at = &batch->group->at;
	const struct join_place place = {
		.key = &at->key,
		.ns = &batch->group->ns,
		.text = at->text,
		.sockets = at->steering.maps[MAP_SOCKETS],
		.storage = join_place_map(batch->group->sockopt, SOCKOPT_STORAGE),
		.requests = join_place_map(batch->group->sockopt, SOCKOPT_REQUESTS)
	};
	int ret = join_place(&place, socket->slot, fd, visited->owner.pid, &visited->error);

	if (ret)
		return ret;
	visited->found = JOIN_PLACED;
	if (!batch->attaches || !program_attach_is_due(batch->group, socket->cookie))
		return 0;
	return attach_if_missing(visit, fd, socket->cookie, visited);
}

/* ----------------------------------------------------------- in this process */

static void log_failure(const struct join_batch *batch, const struct join *join)
{
	struct reuseport_group *group = batch->group;

	/* That a member has MPTCP is told by the search that finds it without a slot. One that has
	 * closed is nobody's loss, and can come and go in a loop. */
	if (batch->quiet || !join->error.code || join->ret == -ETIMEDOUT ||
	    join->ret == -EPROTONOSUPPORT || join->ret == -ESTALE)
		return;
	handle_log(group, LOG_ERR, "%s", join->error.text);
}

/* The socket is in its slot. */
static void take_placed(struct join_batch *batch, struct join *join,
			const struct socket_visited *visited)
{
	struct reuseport_group *group = batch->group;

	if (group->slots[join->slot].reserved)
		slots_confirm(group, join->slot, &visited->owner);
	join->ret = visited->ret;
	if (visited->found & JOIN_ALONE) {
		/* The next attempt puts the program on the group, too, in a helper of its own. */
		group->program_due = true;
		slots_evict(group, join->slot);
		join->ret = -EAGAIN;
		return;
	}
	if (visited->found & JOIN_AWAITS) {
		batch->awaits = visited->index;
		group->program_due = true;
		return;
	}
	if (batch->awaits != visited->index)
		return;
	batch->awaits = batch->n;
	group->program_due = visited->found & JOIN_DUE;
	if (visited->found & JOIN_ATTACHED)
		handle_log(group, LOG_INFO, "%s was recreated and is steered again",
			   group->at.text);
	if (!error_is_limit(join->ret))
		return;
	/* With it in its slot, no later attempt would look for the program. */
	slots_evict(group, join->slot);
	join->ret = -EAGAIN;
}

static void take_joined(void *ctx, const struct socket_visited *visited)
{
	struct join_batch *batch = ctx;
	struct join *join = &batch->joins[visited->index];
	struct reuseport_group *group = batch->group;

	join->error = visited->error;
	join->at = visited->owner;
	if (visited->found & JOIN_PLACED) {
		take_placed(batch, join, visited);
	} else {
		slots_cancel(group, join->slot);
		join->ret = visited->ret;
		if (join->ret == -EBUSY && slots_drop_stray(group, join->cookie))
			join->ret = -EAGAIN;
	}
	if (join->ret && join->ret != -EAGAIN)
		log_failure(batch, join);
	if (error_is_limit(join->ret))
		join->ret = batch->attaches ? -EAGAIN : join->ret;
}

/* Settle what no helper has told of. */
static void settle(struct join_batch *batch, int ret)
{
	struct reuseport_group *group = batch->group;

	batch->over = true;
	for (size_t i = 0; i < batch->n; i++) {
		struct join *join = &batch->joins[i];

		if (batch->visit->sockets[i].done)
			continue;
		slots_cancel(group, join->slot);
		join->ret = -EAGAIN;
	}
	if (batch->awaits == batch->n)
		return;
	/* It hung where it would have put the program on the group, or before that. */
	if (ret == -ETIMEDOUT)
		group_iter_note_hang();
	slots_evict(group, batch->joins[batch->awaits].slot);
	batch->joins[batch->awaits].ret = -EAGAIN;
}

int join_explain_full(const struct reuseport_group *group, struct reuseport_error *err)
{
	return fail(err, ENOSPC,
		    "%s has more workers than slots (%u): detach, then attach with more slots",
		    group->at.text, group->at.entry.slots);
}

static int add_join(struct join_batch *batch, uint64_t cookie, const struct socket_owner *owners,
		    size_t n, size_t prefer)
{
	struct join *join = &batch->joins[batch->n];
	int ret;

	/* Of those that have left nothing is told before the next packet. */
	if (!batch->n)
		slots_release_empty(batch->group);
	ret = slots_reserve(batch->group, cookie, &owners[prefer], &join->slot);
	if (ret)
		return ret;
	join->cookie = cookie;
	batch->visit->sockets[batch->n] = (struct socket_to_visit){
		.cookie = cookie, .owners = owners, .n = n, .prefer = prefer, .slot = join->slot
	};
	batch->n++;
	return 0;
}

int join_batch_add(struct join_batch *batch, uint64_t cookie, const struct socket_owner *owners,
		   size_t n)
{
	return add_join(batch, cookie, owners, n, socket_owners_server(owners, n) - owners);
}

int join_batch_add_of(struct join_batch *batch, uint64_t cookie, uint32_t inode, uint32_t pid)
{
	struct socket_owner *at = &batch->joins[batch->n].at;

	*at = (struct socket_owner){ .inode = inode, .pid = pid, .fd = -1 };
	return add_join(batch, cookie, at, 1, 0);
}

/* Make ready what a helper will need. */
static void prepare_visit(struct join_batch *batch, struct join_request *request)
{
	struct reuseport_group *group = batch->group;
	struct socket_visit *visit = batch->visit;

	visit->n = batch->awaits = batch->n;
	visit->fn = join_by_socket;
	visit->take = take_joined;
	visit->ctx = batch;
	visit->near = &group->loop.last;
	visit->keep[visit->n_keep++] = group->at.steering.maps[MAP_SOCKETS];
	if (group->sockopt) {
		visit->keep[visit->n_keep++] = group->sockopt->fds[SOCKOPT_STORAGE];
		visit->keep[visit->n_keep++] = group->sockopt->fds[SOCKOPT_REQUESTS];
	}
	if (join_request_fill(request, batch))
		visit->request = (struct standby_request){ .serve = join_request_serve,
							   .data = request,
							   .size = sizeof(*request) };
	if (!batch->attaches || !program_attach_is_due(group, 0))
		return;
	/* Without it the helper reports that it cannot attach it. */
	if (steering_open_program(&group->at.steering, group->at.dir) >= 0)
		visit->keep[visit->n_keep++] = group->at.steering.program;
	if (!handle_open_reader(group, NULL) && group->reader)
		visit->n_keep += group_iter_fds(group->reader, visit->keep + visit->n_keep);
}

int join_batch_begin(struct join_batch *batch)
{
	struct join_request request;
	int ret;

	prepare_visit(batch, &request);
	if (!batch->n || !look_isolated())
		ret = socket_visit_run(batch->visit);
	else
		ret = socket_visit_begin(batch->visit, &batch->look);
	if (!batch->look)
		settle(batch, ret);
	return ret;
}

bool join_batch_step(struct join_batch *batch)
{
	int ret;

	if (batch->over)
		return true;
	if (!look_step(batch->look, &ret))
		return false;
	settle(batch, ret);
	return true;
}

int join_batch_fd(const struct join_batch *batch, uint64_t *until)
{
	if (batch->over)
		return -1;
	*until = look_until(batch->look);
	return look_fd(batch->look);
}

void join_batch_wait(const struct join_batch *batch)
{
	if (!batch->over)
		look_wait(batch->look);
}

int join_batch_run(struct join_batch *batch)
{
	int ret = join_batch_begin(batch);

	while (!join_batch_step(batch))
		join_batch_wait(batch);
	return ret;
}
