// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* Join request: how the helper that stands by gives one socket its slot. */
#include <stdio.h>

#include "host/skip_list.h"
#include "keeper/join_place.h"
#include "keeper/join_request.h"
#include "keeper/program_attach.h"
#include "sockets/socket_visit.h"
#include "state/sockarray.h"

_Static_assert(sizeof(struct join_request) <= STANDBY_REQUEST_MAX, "it is sent as one");

/* ----------------------------------------------------------- in this process */

/* Note members that have a slot. Whoever has one of them beside the newcomer has the program:
 * see program_attach_is_due(). */
static void join_request_note_older(struct join_request *request,
				    const struct reuseport_group *group)
{
	unsigned int n = 0;

	for (unsigned int slot = 0; slot < group->at.entry.slots && n < JOIN_OLDER; slot++) {
		const struct slot *at = &group->slots[slot];

		if (!at->cookie || at->reserved)
			continue;
		request->older[n].cookie = at->cookie;
		request->older[n++].slot = slot;
	}
}

bool join_request_fill(struct join_request *request, const struct join_batch *batch)
{
	const struct reuseport_group *group = batch->group;
	const struct socket_to_visit *socket = &batch->visit->sockets[0];

	if (batch->n != 1 || socket->n != 1 || skip_list_has(socket->owners[0].pid) ||
	    (batch->attaches && program_attach_is_due(group, socket->cookie)))
		return false;
	*request = (struct join_request){ .key = group->at.key,
					  .ns = group->ns,
					  .cookie = socket->cookie,
					  .slot = socket->slot,
					  .at = socket->owners[0],
					  .has_near = batch->visit->near,
					  .with_requests = group->sockopt };
	if (request->has_near)
		request->near = *batch->visit->near;
	join_request_note_older(request, group);
	snprintf(request->text, sizeof(request->text), "%s", group->at.text);
	return true;
}

/* --------------------------------------------------------------- in the helper */

/* What a visit has beside the request. */
struct join_serving {
	const struct join_request *request;
	int sockets, storage, requests;
};

/* Return whether an older member is there, now that the newcomer is. */
static bool join_request_has_older(const struct join_serving *serving)
{
	const struct join_request *request = serving->request;

	for (unsigned int i = 0; i < JOIN_OLDER && request->older[i].cookie; i++)
		if (sockarray_holds(serving->sockets, request->older[i].slot,
				    request->older[i].cookie))
			return true;
	return false;
}

static int join_request_place(struct socket_visit *visit, int fd, struct socket_visited *visited)
{
	const struct join_serving *serving = visit->ctx;
	const struct join_request *request = serving->request;
	const struct join_place place = { .key = &request->key,
					  .ns = &request->ns,
					  .text = request->text,
					  .sockets = serving->sockets,
					  .storage = serving->storage,
					  .requests = serving->requests };
	int ret = join_place(&place, request->slot, fd, visited->owner.pid, &visited->error);

	if (ret)
		return ret;
	visited->found = JOIN_PLACED | (join_request_has_older(serving) ? 0 : JOIN_ALONE);
	return 0;
}

int join_request_serve(struct look_report *report, const void *from, const int *fds)
{
	const struct join_request *request = from;
	struct join_serving serving = { .request = request,
					.sockets = fds[0],
					.storage = request->with_requests ? fds[1] : -1,
					.requests = request->with_requests ? fds[2] : -1 };
	struct socket_to_visit socket = {
		.cookie = request->cookie, .owners = &request->at, .n = 1, .slot = request->slot
	};
	struct socket_visit visit = { .sockets = &socket,
				      .n = 1,
				      .fn = join_request_place,
				      .ctx = &serving,
				      .near = request->has_near ? &request->near : NULL };

	return socket_visit_in_helper(&visit, report);
}
