// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* Check: is there a worker whose socket no process waits at? Among several processes that have
 * all sockets open (nginx), the one that serves a socket has it in an epoll set. */
#include <stdlib.h>

#include "doctor/checks.h"
#include "doctor/mend.h"
#include "sockets/socket_owners.h"

#define PAUSE_MS 500

static bool is_served(const struct socket_owner *first, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (first[i].serves)
			return true;
	return false;
}

static void find_unpolled(struct scene *scene, const struct reuseport_status *status,
			  const struct reuseport_worker *worker)
{
	struct finding *finding = scene_find(scene, status, "worker-unpolled", REUSEPORT_WARNING);

	finding_text(finding,
		     "%zu processes have the socket of slot %u open, and none of them "
		     "polls it, though others of the group are polled: its process has "
		     "ended, or hangs.",
		     worker->n_pids, worker->slot);
	finding_number(finding, "slot", worker->slot);
	finding_number(finding, "cookie", worker->cookie);
	finding_number(finding, "processes", worker->n_pids);
	finding_number(finding, "queue", worker->queue);
	mend_command(scene, finding, "drain", "slot:%u", worker->slot);
}

/* Clear those of polled[] whose workers' sockets several processes have, and none polls. Return
 * whether any socket is polled by one of several. */
static bool judge_owners(const struct reuseport_status *status, const struct group_members *members,
			 const struct socket_owners *owners, bool *polled)
{
	const struct sock_diag_socket *socket;
	const struct socket_owner *first;
	bool any = false;
	size_t n;

	for (size_t i = 0; i < status->n_workers; i++) {
		socket = sock_diag_find(&members->on_port, status->workers[i]->cookie);
		n = socket ? socket_owners_of(owners, socket->inode, &first) : 0;
		/* Of a single owner it is not looked for. */
		polled[i] = n < 2 || is_served(first, n);
		any |= n > 1 && polled[i];
	}
	return any;
}

/* Look once. Return whether there is a worker that is not polled although others are. */
static bool look_who_polls(const struct reuseport_status *status,
			   const struct group_members *members, bool *polled)
{
	struct wanted_socket *wanted = calloc(status->n_workers + 1, sizeof(*wanted));
	struct socket_owners owners = { 0 };
	bool found = false;
	size_t n = 0;

	for (size_t i = 0; wanted && i < status->n_workers; i++) {
		const struct sock_diag_socket *socket = sock_diag_find(&members->on_port,
								       status->workers[i]->cookie);

		if (socket)
			wanted[n++] = (struct wanted_socket){ socket->inode, socket->key.uid };
	}
	if (n && !socket_owners_scan(wanted, n, OWNERS_SERVING, &owners) && owners.serving &&
	    judge_owners(status, members, &owners, polled))
		for (size_t i = 0; i < status->n_workers; i++)
			found |= !polled[i];
	free(owners.list);
	free(wanted);
	return found;
}

/* A server may turn away from a socket for a moment. */
void check_polled(struct scene *scene, const struct reuseport_status *status)
{
	const struct group_members *members;
	bool shared = false, *polled;

	for (size_t i = 0; i < status->n_workers; i++)
		shared |= status->workers[i]->n_pids > 1;
	members = shared ? scene_sockets(scene, status->key) : NULL;
	if (!members)
		return;
	polled = calloc(status->n_workers, 2 * sizeof(*polled));
	if (!polled)
		scene->findings->failed = true;
	else if (look_who_polls(status, members, polled) &&
		 scene_look_again(scene, scene_elapsed_ms(scene) + PAUSE_MS) &&
		 look_who_polls(status, members, polled + status->n_workers))
		for (size_t i = 0; i < status->n_workers; i++)
			if (!polled[i] && !polled[status->n_workers + i] &&
			    status->workers[i]->state == REUSEPORT_WORKER_ACTIVE)
				find_unpolled(scene, status, status->workers[i]);
	free(polled);
}
