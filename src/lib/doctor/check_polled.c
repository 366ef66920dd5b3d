// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* Check: is there a worker whose socket no process waits at? Among several processes that have
 * all sockets open (nginx), the one that serves a socket has it in an epoll set. */
#include <stdlib.h>

#include "doctor/checks.h"
#include "doctor/mend.h"
#include "sockets/socket_owners.h"

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

/* Judge the workers by the owners of their sockets. */
static void judge_owners(struct scene *scene, const struct reuseport_status *status,
			 const struct group_members *members, const struct socket_owners *owners)
{
	const struct socket_owner *first;
	const struct sock_diag_socket *socket;
	bool *served = calloc(status->n_workers + 1, sizeof(*served)), any = false;
	size_t n;

	scene->findings->failed |= !served;
	for (size_t i = 0; served && i < status->n_workers; i++) {
		socket = sock_diag_find(&members->on_port, status->workers[i]->cookie);
		n = socket ? socket_owners_of(owners, socket->inode, &first) : 0;
		/* Of a single owner it is not looked for. */
		served[i] = n < 2 || is_served(first, n);
		any |= n > 1 && served[i];
	}
	for (size_t i = 0; any && i < status->n_workers; i++)
		if (!served[i] && status->workers[i]->state == REUSEPORT_WORKER_ACTIVE)
			find_unpolled(scene, status, status->workers[i]);
	free(served);
}

void check_polled(struct scene *scene, const struct reuseport_status *status)
{
	const struct group_members *members;
	struct socket_owners owners = { 0 };
	struct wanted_socket *wanted;
	bool shared = false;
	size_t n = 0;

	for (size_t i = 0; i < status->n_workers; i++)
		shared |= status->workers[i]->n_pids > 1;
	members = shared ? scene_sockets(scene, status->key) : NULL;
	if (!members)
		return;
	wanted = calloc(status->n_workers + 1, sizeof(*wanted));
	scene->findings->failed |= !wanted;
	for (size_t i = 0; wanted && i < status->n_workers; i++) {
		const struct sock_diag_socket *socket = sock_diag_find(&members->on_port,
								       status->workers[i]->cookie);

		if (socket)
			wanted[n++] = (struct wanted_socket){ socket->inode, socket->key.uid };
	}
	if (n && !socket_owners_scan(wanted, n, OWNERS_SERVING, &owners) && owners.serving)
		judge_owners(scene, status, members, &owners);
	free(owners.list);
	free(wanted);
}
