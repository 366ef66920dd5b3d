// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* Outcome list: the workers that may get a packet, as they are added one by one. */
#include <stdlib.h>
#include <string.h>

#include "explain/outcome_list.h"
#include "host/topology.h"
#include "sockets/cpu_pick.h"
#include "sockets/socket_owners.h"
#include "state/generation.h"
#include "state/sockarray.h"

static unsigned int slot_of_cookie(const struct finding *f, uint64_t cookie)
{
	const struct attachment *a = f->attachment;

	for (unsigned int slot = 0; a && slot < a->entry.slots; slot++)
		if (a->view.workers[slot].state != WORKER_FREE &&
		    a->view.workers[slot].cookie == cookie)
			return slot;
	return SLOT_NONE;
}

/* Fill in the process that serves the socket now: what the keeper has recorded may be some seconds
 * old. */
static void describe_process(struct finding *f, uint32_t inode, struct reuseport_outcome *outcome)
{
	const struct socket_owner *first, *server;
	size_t n;

	explained_owners_look(f->owners, &f->members->sockets, inode, f->winner->key.uid);
	n = socket_owners_of(&f->owners->owners, inode, &first);
	if (!n)
		return;
	server = socket_owners_server(first, n);
	outcome->pid = server->pid;
	memcpy(outcome->comm, server->comm, sizeof(outcome->comm));
}

struct reuseport_outcome *outcome_nth(const struct finding *f, size_t i)
{
	return item_list_get(&f->explanation->outcomes, i);
}

/* A socket that is in no group is the winner itself. */
static int32_t outcome_incoming_cpu(const struct finding *f, uint64_t cookie)
{
	return f->members->sockets.n ? cpu_pick_of_socket(f->members, cookie) : f->winner->cpu;
}

void outcome_add(struct finding *f, uint64_t cookie, double probability)
{
	const struct sock_diag_socket *member = sock_diag_find(&f->members->sockets, cookie);
	unsigned int slot = slot_of_cookie(f, cookie);
	struct reuseport_outcome *outcome;

	for (size_t i = 0; (outcome = outcome_nth(f, i)); i++) {
		if (outcome->cookie != cookie)
			continue;
		outcome->probability += probability;
		return;
	}
	outcome = item_list_add(&f->explanation->outcomes, sizeof(*outcome));
	if (!outcome) {
		f->no_memory = true;
		return;
	}
	*outcome = (struct reuseport_outcome){ .slot = slot == SLOT_NONE ? -1 : (int)slot,
					       .cookie = cookie,
					       .probability = probability,
					       .incoming_cpu = outcome_incoming_cpu(f, cookie) };
	if (slot != SLOT_NONE) {
		outcome->state = generation_state(generations_in_use(&f->attachment->view),
						  &f->attachment->view.workers[slot]);
		outcome->weight = f->attachment->view.workers[slot].weight;
	}
	if (member)
		outcome->queue = member->queue;
	if (member || cookie == f->winner->cookie)
		describe_process(f, member ? member->inode : f->winner->inode, outcome);
}

void outcome_add_all_members(struct finding *f)
{
	for (size_t i = 0; i < f->members->sockets.n; i++)
		outcome_add(f, f->members->sockets.sockets[i].cookie, 1.0 / f->members->sockets.n);
}

/* ------------------------------------------------------------ the kernel's pick */

static const char *kernel_pick_why(enum cpu_pick pick, int cpu, size_t same)
{
	if (pick == CPU_PICK_UNKNOWN)
		return "the kernel's hash, whose key is secret: all members are equally likely, "
		       "unless some have set SO_INCOMING_CPU, which cannot be seen here";
	if (pick == CPU_PICK_HASH)
		return "the kernel's hash, whose key is secret: all members are equally likely";
	if (cpu < 0)
		return "members have set SO_INCOMING_CPU, so it depends on the CPU that handles "
		       "the packet: name a CPU to see its outcome";
	if (!same)
		return "no member has set SO_INCOMING_CPU to that CPU: the kernel's hash, whose "
		       "key is secret, and all members are equally likely";
	return same == 1 ? "the member that has set SO_INCOMING_CPU to that CPU" :
			   "the members that have set SO_INCOMING_CPU to that CPU; the kernel's "
			   "hash, whose key is secret, chooses among them";
}

/* Add the members with the probabilities that they have. Return how many are for the CPU. */
static size_t kernel_pick_add(struct finding *f, enum cpu_pick pick)
{
	const struct sock_diag_list *sockets = &f->members->sockets;
	int32_t *cpus = calloc(sockets->n + 1, sizeof(*cpus));
	double *probability = calloc(sockets->n + 1, sizeof(*probability));
	size_t same = 0;

	f->no_memory |= !cpus || !probability;
	for (size_t i = 0; !f->no_memory && i < sockets->n; i++)
		cpus[i] = cpu_pick_of_socket(f->members, sockets->sockets[i].cookie);
	if (!f->no_memory)
		same = cpu_pick_share(pick, cpus, sockets->n, f->packet->cpu, topology_cpus(),
				      probability);
	for (size_t i = 0; !f->no_memory && i < sockets->n; i++)
		outcome_add(f, sockets->sockets[i].cookie, probability[i]);
	free(cpus);
	free(probability);
	return same;
}

const char *outcome_add_kernel_pick(struct finding *f)
{
	enum cpu_pick pick = cpu_pick_of_group(f->members, f->winner->cookie);
	size_t same = kernel_pick_add(f, pick);

	f->out->by_incoming_cpu = pick == CPU_PICK_CPU;
	return kernel_pick_why(pick, f->packet->cpu, same);
}
