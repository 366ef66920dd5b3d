// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* Check: does a worker lose packets because its queue is full? */
#include <netinet/in.h>
#include <string.h>

#include "doctor/checks.h"
#include "doctor/mend.h"

/* One lost packet of so many is worth a warning. */
#define DROPS_PER 1000

/* What the kernel counts for the namespace of TCP listeners. */
struct tcp_drops {
	uint64_t listen;   /* handshakes that were lost */
	uint64_t deferred; /* those that wait for data (TCP_DEFER_ACCEPT), which are not */
};

static struct tcp_drops read_tcp_drops(const struct reuseport_key *key)
{
	struct tcp_drops all = { .listen = UINT64_MAX };

	if (key->proto == IPPROTO_TCP) {
		scene_tcp_counter(key, "ListenDrops", &all.listen);
		scene_tcp_counter(key, "TCPDeferAcceptDrop", &all.deferred);
	}
	return all;
}

/* Return what a socket has lost, at least. A listener's own counter has with that the ACK of each
 * handshake that waits for data, and segments that were no handshake's. */
static uint64_t lost_by(const struct sock_diag_socket *socket, const struct tcp_drops *all)
{
	uint64_t lost = socket->drops;

	lost -= lost < all->deferred ? lost : all->deferred;
	return lost < all->listen ? lost : all->listen;
}

static bool is_full(const struct sock_diag_socket *socket)
{
	if (socket->key.proto == IPPROTO_TCP)
		return socket->queue && socket->queue >= socket->queue_limit;
	return socket->queue_limit && socket->queue >= socket->queue_limit / 10 * 9;
}

/* Set the command that keeps work from a queue that is full. */
static void mend_queue(struct scene *scene, const struct reuseport_status *status,
		       struct finding *finding, unsigned int slot)
{
	if (status->n_workers > 1 && strcmp(status->policy->policy, "least-queue"))
		mend_command(scene, finding, "policy", "least-queue");
	else
		mend_command(scene, finding, "drain", "slot:%u", slot);
}

static void find_full(struct scene *scene, const struct reuseport_status *status,
		      const struct reuseport_worker *worker, const struct sock_diag_socket *socket)
{
	bool tcp = status->key->proto == IPPROTO_TCP;
	struct finding *finding = scene_find(scene, status, "queue-full", REUSEPORT_WARNING);

	finding_text(finding, "The %s queue of slot %u is full (%u of %u %s): what comes is lost.",
		     tcp ? "accept" : "receive", worker->slot, socket->queue, socket->queue_limit,
		     tcp ? "connections" : "bytes");
	finding_number(finding, "slot", worker->slot);
	finding_number(finding, "pid", worker->pid);
	finding_number(finding, "queue", socket->queue);
	finding_number(finding, "limit", socket->queue_limit);
	mend_queue(scene, status, finding, worker->slot);
}

static void find_drops(struct scene *scene, const struct reuseport_status *status,
		       const struct reuseport_worker *worker, const struct sock_diag_socket *socket,
		       uint64_t lost)
{
	bool often = lost * DROPS_PER >= worker->selected;
	struct finding *finding = scene_find(scene, status, "drops",
					     often ? REUSEPORT_WARNING : REUSEPORT_NOTE);

	finding_text(finding, "The socket of slot %u has lost %llu %s because its queue was full.",
		     worker->slot, (unsigned long long)lost,
		     status->key->proto == IPPROTO_TCP ? "handshakes" : "datagrams");
	finding_number(finding, "slot", worker->slot);
	finding_number(finding, "pid", worker->pid);
	finding_number(finding, "drops", lost);
	finding_number(finding, "selected", worker->selected);
	finding_number(finding, "limit", socket->queue_limit);
	mend_queue(scene, status, finding, worker->slot);
}

/* The kernel counts for the namespace what each listener counts as long as it is there. */
static void check_overflows(struct scene *scene, const struct reuseport_status *status,
			    uint64_t drops, bool deferred)
{
	struct finding *finding;
	uint64_t overflows;

	if (status->key->proto != IPPROTO_TCP ||
	    !scene_tcp_counter(status->key, "ListenOverflows", &overflows) || overflows <= drops)
		return;
	finding = scene_find(scene, status, "listen-overflows", REUSEPORT_NOTE);
	if (deferred)
		finding_text(
			finding,
			"Full accept queues of this network namespace have lost %llu "
			"handshakes. Whose is not known: a socket with TCP_DEFER_ACCEPT counts "
			"each handshake among its losses.",
			(unsigned long long)overflows);
	else
		finding_text(
			finding,
			"Full accept queues of this network namespace have lost %llu handshakes, and "
			"%llu were not at the workers of now: they were at sockets that have gone, or on "
			"other ports.",
			(unsigned long long)overflows, (unsigned long long)(overflows - drops));
	finding_number(finding, "listen_overflows", overflows);
	finding_number(finding, "drops", drops);
}

void check_queue(struct scene *scene, const struct reuseport_status *status)
{
	const struct group_members *members = scene_sockets(scene, status->key);
	/* After the sockets' own counters, which it must not be behind. */
	const struct tcp_drops all = read_tcp_drops(status->key);
	uint64_t drops = 0;

	for (size_t i = 0; members && i < status->n_workers; i++) {
		const struct reuseport_worker *worker = status->workers[i];
		const struct sock_diag_socket *socket = sock_diag_find(&members->on_port,
								       worker->cookie);
		uint64_t lost = socket ? lost_by(socket, &all) : 0;

		if (socket && is_full(socket))
			find_full(scene, status, worker, socket);
		if (lost)
			find_drops(scene, status, worker, socket, lost);
		drops += lost;
	}
	if (members)
		check_overflows(scene, status, drops, all.deferred);
}
