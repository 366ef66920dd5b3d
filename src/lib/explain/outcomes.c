// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* Chances: which workers of the winning group may get a packet. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "decide/chain.h"
#include "decide/key.h"
#include "decide/least_queue.h"
#include "error.h"
#include "explain/outcomes.h"
#include "host/proc.h"
#include "host/topology.h"
#include "policy/packet_tuple.h"
#include "policy/policy.h"
#include "policy/table_compile.h"
#include "reuseport_explain.h"
#include "reuseport_simulate.h"
#include "sockets/socket_owners.h"
#include "state/flow_table.h"
#include "state/generation.h"
#include "state/publish.h"
#include "state/read_policy.h"
#include "state/sockarray.h"

/* What the chances are made of. */
struct finding {
	struct reuseport_explanation *out;
	const struct attachment *attachment;
	const struct lookup_candidate *winner;
	const struct sock_diag_list *members;
	struct socket_owners owners;
	bool scanned; /* owners is valid */
	const struct plan *plan;
	const uint16_t *entries;
};

/* ---------------------------------------------------------------- adding one */

static unsigned int slot_of_cookie(const struct finding *f, uint64_t cookie)
{
	const struct attachment *a = f->attachment;

	for (unsigned int slot = 0; a && slot < a->entry.slots; slot++)
		if (a->view.workers[slot].state != WORKER_FREE &&
		    a->view.workers[slot].cookie == cookie)
			return slot;
	return SLOT_NONE;
}

/* As the keeper has recorded it; to look through /proc for one that it does not
 * know takes much longer than all the rest. */
static void describe_process(struct finding *f, unsigned int slot, uint32_t inode,
			     struct reuseport_chance *chance)
{
	const struct socket_owner *first;
	size_t n;

	if (slot != SLOT_NONE)
		chance->pid = f->attachment->view.workers[slot].pid;
	if (!chance->pid && !f->scanned) {
		f->scanned = true;
		if (f->members->n)
			socket_owners_scan_members(f->members, &f->owners);
		else
			socket_owners_scan(&inode, 1, 0, &f->owners);
	}
	n = chance->pid ? 0 : socket_owners_of(&f->owners, inode, &first);
	if (n)
		chance->pid = socket_owners_server(first, n)->pid;
	proc_comm(chance->pid, chance->comm);
}

/* The sum of shares of one cookie. */
static void add(struct finding *f, uint64_t cookie, double share)
{
	struct reuseport_explanation *out = f->out;
	const struct sock_diag_socket *member = sock_diag_find(f->members, cookie);
	unsigned int slot = slot_of_cookie(f, cookie);
	struct reuseport_chance *chance;

	for (size_t i = 0; i < out->n_chances; i++) {
		if (out->chances[i].cookie != cookie)
			continue;
		out->chances[i].share += share;
		return;
	}
	chance = &out->chances[out->n_chances++];
	*chance = (struct reuseport_chance){ .slot = slot == SLOT_NONE ? -1 : (int)slot,
					     .cookie = cookie,
					     .share = share };
	if (slot != SLOT_NONE) {
		chance->state = generation_state(generations_in_use(&f->attachment->view),
						 &f->attachment->view.workers[slot]);
		chance->weight = f->attachment->view.workers[slot].weight;
	}
	if (member)
		chance->queue = member->queue;
	if (member || cookie == f->winner->cookie)
		describe_process(f, slot, member ? member->inode : f->winner->inode, chance);
}

static void add_members(struct finding *f)
{
	for (size_t i = 0; i < f->members->n; i++)
		add(f, f->members->sockets[i].cookie, 1.0 / f->members->n);
}

/* ----------------------------------------------------------------- what is known */

static struct tuple tuple_of_packet(const struct reuseport_packet *packet)
{
	struct reuseport_tuple tuple = { .family = packet->family,
					 .src_port = packet->src_port,
					 .dst_port = packet->dst_port };

	memcpy(tuple.src, packet->src, sizeof(tuple.src));
	memcpy(tuple.dst, packet->dst, sizeof(tuple.dst));
	return packet_tuple(&tuple);
}

static unsigned int node_of(unsigned int cpu)
{
	struct cpus cpus;

	for (unsigned int node = 0; node < topology_nodes(); node++) {
		topology_cpus_of_node(node, &cpus);
		if (cpus_has(&cpus, cpu))
			return node;
	}
	return 0;
}

/* -1: the row depends on the CPU, which is not known. */
static int row_of(const struct plan *plan, const struct reuseport_packet *packet)
{
	if (packet->cpu < 0)
		return -1;
	return plan->policy == POLICY_NUMA ? (int)node_of(packet->cpu) : packet->cpu;
}

/* ------------------------------------------------------------------ by policy */

/* Who may get work is asked one after the other, where the kernel must not pick.
 * Returns whether there is one. */
static bool ask_any(struct finding *f)
{
	const struct attachment *a = f->attachment;
	const uint16_t *weights = half_weights(&a->view, a->view.control->epoch);
	uint32_t slots = a->entry.slots;

	for (uint32_t i = 0; i < CHAIN_ANY_MAX && i < slots; i++) {
		uint32_t slot = chain_any(f->out->hash, slots, i);

		if (!weights[slot] || !attachment_has_worker(a, slot))
			continue;
		add(f, a->view.workers[slot].cookie, 1);
		return true;
	}
	return false;
}

/* The entry is known: down the chain, to the first who can take it. */
static void follow_chain(struct finding *f, struct circumstances at)
{
	struct reuseport_explanation *out = f->out;

	out->taken_by = -1;
	for (uint32_t try = 0; try < CHAIN_STEPS; try++) {
		uint32_t entry = chain_index(f->plan, out->hash, &at, try);
		uint16_t slot = f->entries[entry];
		bool there = attachment_has_worker(f->attachment, slot);

		out->tries[out->n_tries++] = (struct reuseport_try){
			.entry = entry,
			.slot = slot == TABLE_NO_WORKER ? -1 : slot,
			.cookie = there ? f->attachment->view.workers[slot].cookie : 0,
			.empty = !there,
		};
		if (slot == TABLE_NO_WORKER)
			return;
		if (there && out->taken_by < 0)
			out->taken_by = try;
	}
	if (out->taken_by >= 0) {
		add(f, out->tries[out->taken_by].cookie, 1);
		out->why = "the hash has the group's own key, and the table says who";
	} else if ((f->plan->flags & PLAN_GUARDED) && ask_any(f)) {
		out->why = "none of the choices can take it: the next slot whose worker may, since "
			   "the kernel could pick one that may not";
	} else {
		add_members(f);
		out->why = "none of the choices can take it: the kernel picks a member";
	}
}

/* The row is known and the hash is not: by the row's entries. */
static void by_row(struct finding *f, uint32_t row)
{
	uint32_t width = f->plan->width;

	for (uint32_t i = 0; i < width; i++) {
		uint16_t slot = f->entries[row * width + i];

		if (attachment_has_worker(f->attachment, slot))
			add(f, f->attachment->view.workers[slot].cookie, 1.0 / width);
	}
}

/* Neither is known: any row, each as likely. */
static void by_any_row(struct finding *f, uint32_t rows)
{
	for (uint32_t row = 0; row < rows; row++)
		by_row(f, row);
	for (size_t i = 0; i < f->out->n_chances; i++)
		f->out->chances[i].share /= rows;
}

static void by_place_row(struct finding *f, const struct reuseport_packet *packet)
{
	uint32_t rows = table_compile_rows(f->plan, f->attachment->entry.cpus, topology_nodes());
	int row = row_of(f->plan, packet);

	f->out->row = row;
	if (row < 0) {
		by_any_row(f, rows);
		f->out->why = "it depends on the CPU that handles the packet: --cpu tells for one";
	} else if (f->out->hash_known) {
		follow_chain(f, (struct circumstances){ .row = row, .rows = rows });
	} else {
		by_row(f, (uint32_t)row < rows ? (uint32_t)row : rows);
		f->out->why =
			"those who work on that CPU or node; among several the kernel's hash, "
			"which is secret, chooses";
	}
}

static void by_queue(struct finding *f)
{
	uint32_t n = f->plan->width, least = UINT32_MAX;
	size_t ties = 0;

	by_row(f, 0);
	if (n > LEAST_QUEUE_SCAN) {
		f->out->why =
			"the shorter queue of two workers that the hash names, at that moment";
		return;
	}
	for (size_t i = 0; i < f->out->n_chances; i++)
		if (f->out->chances[i].queue < least)
			least = f->out->chances[i].queue;
	for (size_t i = 0; i < f->out->n_chances; i++)
		ties += f->out->chances[i].queue == least;
	for (size_t i = 0; i < f->out->n_chances; i++)
		f->out->chances[i].share = f->out->chances[i].queue == least ? 1.0 / ties : 0;
	f->out->why = "the shortest queue, as the queues are now; ties are broken by hash";
}

static void by_table(struct finding *f, const struct reuseport_packet *packet)
{
	f->out->row = -1;
	if (chain_by_place(f->plan->policy)) {
		by_place_row(f, packet);
	} else if (f->plan->policy == POLICY_LEAST_QUEUE) {
		by_queue(f);
	} else if (f->plan->policy == POLICY_RANDOM) {
		by_row(f, 0);
		f->out->why = "by chance, each packet anew";
	} else if (f->plan->policy == POLICY_ROUND_ROBIN) {
		by_row(f, 0);
		f->out->why = "in turns, which other packets take as well";
	} else if (f->out->hash_known) {
		follow_chain(f, (struct circumstances){ 0 });
	} else {
		by_row(f, 0);
		f->out->why =
			"by the kernel's hash, whose key is secret: the shares of the table hold";
	}
	if (f->out->n_chances)
		return;
	f->out->all_weightless = true;
	f->out->why = "no worker may get work: the kernel picks among all members";
	add_members(f);
}

/* Whether it is a sticky flow, and so its worker's whatever the policy. */
static bool by_flow(struct finding *f, const struct reuseport_packet *packet)
{
	struct tuple tuple = tuple_of_packet(packet);
	int slot = flow_table_slot(&f->attachment->view, &tuple);

	if (slot < 0 || !attachment_has_worker(f->attachment, slot))
		return false;
	f->out->known_flow = true;
	f->out->row = -1;
	add(f, f->attachment->view.workers[slot].cookie, 1);
	return true;
}

static void by_policy(struct finding *f, const struct reuseport_packet *packet)
{
	const struct attachment *a = f->attachment;

	read_policy(&f->out->rules, a);
	f->plan = plan_in_use(&a->view);
	f->entries = half_entries(&a->view, a->view.control->epoch);
	f->out->hash_known = f->plan->flags & PLAN_OWN_HASH;
	f->out->guarded = f->plan->flags & PLAN_GUARDED;
	if (f->out->hash_known) {
		struct tuple t = tuple_of_packet(packet);

		f->out->hash = key_hash(f->plan, &t);
	}
	if (by_flow(f, packet)) {
		f->out->why = "the flow is known, and stays with its worker";
	} else if (f->plan->width) {
		by_table(f, packet);
	} else {
		f->out->row = -1;
		add_members(f);
		f->out->why = "by the kernel's hash, whose key is secret: each member is as likely";
	}
}

/* -------------------------------------------------------------------- ordering */

static int by_share(const void *a, const void *b)
{
	const struct reuseport_chance *x = a, *y = b;

	if (x->share != y->share)
		return x->share > y->share ? -1 : 1;
	if (x->slot != y->slot)
		return (unsigned int)x->slot < (unsigned int)y->slot ? -1 : 1;
	return x->cookie < y->cookie ? -1 : x->cookie > y->cookie;
}

static void sort_chances(struct reuseport_explanation *out)
{
	size_t kept = 0;

	for (size_t i = 0; i < out->n_chances; i++)
		if (out->chances[i].share > 0)
			out->chances[kept++] = out->chances[i];
	out->n_chances = kept;
	qsort(out->chances, kept, sizeof(*out->chances), by_share);
}

int chances_find(struct reuseport_explanation *out, const struct reuseport_packet *packet,
		 const struct lookup_candidate *winner, const struct attachment *attachment,
		 const struct sock_diag_list *members, struct reuseport_error *err)
{
	struct finding f = {
		.out = out, .attachment = attachment, .winner = winner, .members = members
	};
	size_t room = members->n + (attachment ? attachment->entry.slots : 0) + 1;

	out->chances = calloc(room, sizeof(*out->chances));
	if (!out->chances)
		return fail(err, ENOMEM, "out of memory");
	if (out->decider == REUSEPORT_POLICY) {
		by_policy(&f, packet);
	} else if (out->decider == REUSEPORT_SOCKET) {
		add(&f, winner->cookie, 1);
		out->why = "it is the only socket: nothing is chosen";
	} else {
		add_members(&f);
		out->why =
			out->decider == REUSEPORT_FOREIGN ?
				"another program decides, and this toolkit does not know how" :
				"the kernel's hash, whose key is secret: each member is as likely";
	}
	free(f.owners.list);
	sort_chances(out);
	return 0;
}
