// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* Socket visit: do something with sockets of other processes, each through a duplicate. */
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "error.h"
#include "host/look.h"
#include "host/proc.h"
#include "sockets/newest_fd.h"
#include "sockets/pidfd_socket.h"
#include "sockets/sock_diag.h"
#include "sockets/socket_owners.h"
#include "sockets/socket_visit.h"

/* --------------------------------------------------------------- in a helper */

int socket_visit_tell(struct socket_visit *visit, const struct socket_visited *visited)
{
	int ret = look_tell(visit->report, visited);

	return ret ? ret : look_flush(visit->report);
}

static int find_descriptor(struct socket_visit *visit, struct socket_owner *owner)
{
	const struct socket_owner *near = visit->near;

	owner->fd = newest_fd_find(owner->inode, owner->pid,
				   near && near->pid == owner->pid ? near->fd : -1);
	if (owner->fd >= 0)
		proc_comm(owner->pid, owner->comm);
	return owner->fd < 0 ? -ENOENT : 0;
}

/* Duplicate the socket from one process. Return the descriptor or -errno. */
static int duplicate_from(struct socket_visit *visit, uint64_t cookie,
			  struct socket_visited *visited)
{
	struct socket_owner *owner = &visited->owner;
	int ret;

	if (!look_at(visit->report, owner->pid))
		return fail(&visited->error, ETIMEDOUT,
			    "process %u does not let itself be inspected", owner->pid);
	ret = owner->fd < 0 ? find_descriptor(visit, owner) : 0;
	return ret ? ret : pidfd_socket_get(owner, cookie, &visited->error);
}

/* What one process refuses says more than that another has closed the socket. */
static bool says_more(const struct socket_visited *last, const struct socket_visited *best)
{
	return best->ret == -ENOENT || best->ret == -ESTALE || error_is_limit(last->ret);
}

/* Duplicate the socket from one of its processes. Return the descriptor, or -errno as "visited"
 * has it. */
static int duplicate_socket(struct socket_visit *visit, struct socket_visited *visited)
{
	const struct socket_to_visit *socket = &visit->sockets[visited->index];

	visited->ret = -ENOENT;
	for (size_t i = 0; i < socket->n && !error_is_limit(visited->ret); i++) {
		size_t at = !i ? socket->prefer : i - (i <= socket->prefer);
		struct socket_visited last = { .index = visited->index,
					       .owner = socket->owners[at] };
		int fd = last.ret = duplicate_from(visit, socket->cookie, &last);

		if (fd >= 0 || says_more(&last, visited))
			*visited = last;
		if (fd >= 0)
			return fd;
	}
	return visited->ret;
}

static int visit_socket(struct socket_visit *visit, size_t index)
{
	struct socket_visited visited = { .index = index };
	int fd = duplicate_socket(visit, &visited), ret;

	visited.reached = fd >= 0;
	if (fd >= 0)
		visited.ret = visit->fn(visit, fd, &visited);
	visit->over = visit->first_only && !visited.ret;
	/* Before the close, which may hang. */
	ret = socket_visit_tell(visit, &visited);
	if (fd >= 0)
		close(fd);
	return ret;
}

int socket_visit_in_helper(struct socket_visit *visit, struct look_report *report)
{
	int ret = 0;

	visit->report = report;
	for (size_t i = 0; !ret && !visit->over && i < visit->n; i++)
		if (!visit->sockets[i].done && (!visit->wanted || visit->wanted(visit, i)))
			ret = visit_socket(visit, i);
	return ret;
}

static int visit_sockets(struct look_report *report, void *arg)
{
	return socket_visit_in_helper(arg, report);
}

/* ----------------------------------------------------------- in this process */

static void take_visited(void *ctx, const void *record)
{
	struct socket_visit *visit = ctx;
	const struct socket_visited *visited = record;

	visit->sockets[visited->index].done = true;
	visit->over = visit->first_only && !visited->ret;
	visit->take(visit->ctx, visited);
}

struct socket_to_visit *socket_visit_list(const struct sock_diag_list *sockets,
					  const struct socket_owners *owners)
{
	struct socket_to_visit *list = calloc(sockets->n + 1, sizeof(*list));

	for (size_t i = 0; list && i < sockets->n; i++) {
		list[i].cookie = sockets->sockets[i].cookie;
		list[i].n = socket_owners_of(owners, sockets->sockets[i].inode, &list[i].owners);
	}
	return list;
}

static struct look_job job_of_visit(struct socket_visit *visit)
{
	return (struct look_job){ .run = visit_sockets,
				  .arg = visit,
				  .record = sizeof(struct socket_visited),
				  .take = take_visited,
				  .ctx = visit,
				  .keep = visit->keep,
				  .n_keep = visit->n_keep,
				  .request = visit->request,
				  .records = visit->n };
}

int socket_visit_run(struct socket_visit *visit)
{
	const struct look_job job = job_of_visit(visit);

	return visit->n ? look_run(&job) : 0;
}

int socket_visit_begin(struct socket_visit *visit, struct look **look)
{
	const struct look_job job = job_of_visit(visit);

	return look_begin(&job, look);
}
