// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* Outcomes: find the workers of the winning group that may get a packet, each with its
 * probability. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "decide/chain.h"
#include "decide/key.h"
#include "decide/least_queue.h"
#include "error.h"
#include "explain/outcome_list.h"
#include "explain/outcomes.h"
#include "host/topology.h"
#include "policy/packet_tuple.h"
#include "policy/policy.h"
#include "policy/table_compile.h"
#include "reuseport_explain.h"
#include "reuseport_simulate.h"
#include "state/flow_table.h"
#include "state/generation.h"
#include "state/publish.h"
#include "state/read_policy.h"
#include "state/sockarray.h"

/* ------------------------------------------------------------------ the packet */

static struct tuple explained_tuple(const struct reuseport_packet *packet)
{
	struct reuseport_tuple tuple = { .family = packet->family,
					 .src_port = packet->src_port,
					 .dst_port = packet->dst_port };

	memcpy(tuple.src, packet->src, sizeof(tuple.src));
	memcpy(tuple.dst, packet->dst, sizeof(tuple.dst));
	return packet_tuple(&tuple);
}

static unsigned int node_of_cpu(unsigned int cpu)
{
	struct cpus cpus;

	for (unsigned int node = 0; node < topology_nodes(); node++) {
		topology_cpus_of_node(node, &cpus);
		if (cpus_has(&cpus, cpu))
			return node;
	}
	return 0;
}

/* Return the row of the table; -1 if it depends on the CPU, which is not known. */
static int row_of_packet(const struct plan *plan, const struct reuseport_packet *packet)
{
	if (packet->cpu < 0)
		return -1;
	return plan->policy == POLICY_NUMA ? (int)node_of_cpu(packet->cpu) : packet->cpu;
}

/* ------------------------------------------------------------------ by policy */

/* Find any worker that may receive work, as the program does if the kernel must not
 * pick. Return whether there is one. */
static bool add_any_worker(struct finding *f)
{
	const struct attachment *a = f->attachment;
	const uint16_t *weights = half_weights(&a->view, a->view.control->epoch);
	uint32_t slots = a->entry.slots;

	for (uint32_t i = 0; i < CHAIN_ANY_MAX && i < slots; i++) {
		uint32_t slot = chain_any(f->out->hash, slots, i);

		if (!weights[slot] || !attachment_has_worker(a, slot))
			continue;
		outcome_add(f, a->view.workers[slot].cookie, 1);
		return true;
	}
	return false;
}

/* Follow the fallback chain from a known entry to the first worker that is there. */
static void follow_chain(struct finding *f, struct circumstances at)
{
	struct reuseport_explanation *out = f->out;
	uint64_t cookie = 0;

	out->taken_by = -1;
	for (uint32_t step = 0; step < CHAIN_STEPS; step++) {
		uint32_t entry = chain_index(f->plan, out->hash, &at, step);
		uint16_t slot = f->entries[entry];
		bool present = attachment_has_worker(f->attachment, slot);
		struct reuseport_fallback_step *taken = item_list_add(&f->explanation->steps,
								      sizeof(*taken));

		if (!taken) {
			f->no_memory = true;
			return;
		}
		*taken = (struct reuseport_fallback_step){
			.entry = entry,
			.slot = slot == TABLE_NO_WORKER ? -1 : slot,
			.cookie = present ? f->attachment->view.workers[slot].cookie : 0,
			.empty = !present,
		};
		if (slot == TABLE_NO_WORKER)
			return;
		if (present && out->taken_by < 0) {
			out->taken_by = step;
			cookie = taken->cookie;
		}
	}
	if (out->taken_by >= 0) {
		outcome_add(f, cookie, 1);
		out->why = "the table's entry for the packet's hash, by the group's own hash key";
	} else if ((f->plan->flags & PLAN_GUARDED) && add_any_worker(f)) {
		out->why =
			"no worker is left in any fallback step: the next slot with a worker that "
			"may receive work, because the kernel could pick one that may not";
	} else {
		outcome_add_kernel_pick(f);
		out->why = out->by_incoming_cpu ?
				   "no worker is left in any fallback step: the kernel picks a "
				   "member, by SO_INCOMING_CPU" :
				   "no worker is left in any fallback step: the kernel picks a "
				   "member";
	}
}

/* Add the entries of a row, for an unknown hash. */
static void add_row(struct finding *f, uint32_t row)
{
	uint32_t width = f->plan->width;

	for (uint32_t i = 0; i < width; i++) {
		uint16_t slot = f->entries[row * width + i];

		if (attachment_has_worker(f->attachment, slot))
			outcome_add(f, f->attachment->view.workers[slot].cookie, 1.0 / width);
	}
}

/* Add all rows with the same probability, for an unknown row and hash. */
static void add_all_rows(struct finding *f, uint32_t rows)
{
	for (uint32_t row = 0; row < rows; row++)
		add_row(f, row);
	for (size_t i = 0; outcome_nth(f, i); i++)
		outcome_nth(f, i)->probability /= rows;
}

static void decide_by_place(struct finding *f, const struct reuseport_packet *packet)
{
	uint32_t rows = table_compile_rows(f->plan, f->attachment->entry.cpus, topology_nodes());
	int row = row_of_packet(f->plan, packet);

	f->out->row = row;
	if (row < 0) {
		add_all_rows(f, rows);
		f->out->why =
			"it depends on the CPU that handles the packet: name a CPU to see its outcome";
	} else if (f->out->hash_known) {
		follow_chain(f, (struct circumstances){ .row = row, .rows = rows });
	} else {
		add_row(f, (uint32_t)row < rows ? (uint32_t)row : rows);
		f->out->why = "the workers on that CPU or node; the kernel's hash, whose key is "
			      "secret, chooses among several";
	}
}

static void decide_by_queue(struct finding *f)
{
	uint32_t n = f->plan->width, least = UINT32_MAX;
	size_t ties = 0;

	add_row(f, 0);
	if (n > LEAST_QUEUE_SCAN) {
		f->out->why =
			"the shorter queue of two workers, which a hash selects, when the packet arrives";
		return;
	}
	for (size_t i = 0; outcome_nth(f, i); i++)
		if (outcome_nth(f, i)->queue < least)
			least = outcome_nth(f, i)->queue;
	for (size_t i = 0; outcome_nth(f, i); i++)
		ties += outcome_nth(f, i)->queue == least;
	for (size_t i = 0; outcome_nth(f, i); i++)
		outcome_nth(f, i)->probability = outcome_nth(f, i)->queue == least ? 1.0 / ties : 0;
	f->out->why = "the shortest queue, as the queues are now; a hash decides a tie";
}

static void decide_by_table(struct finding *f, const struct reuseport_packet *packet)
{
	f->out->row = -1;
	if (chain_by_place(f->plan->policy)) {
		decide_by_place(f, packet);
	} else if (f->plan->policy == POLICY_LEAST_QUEUE) {
		decide_by_queue(f);
	} else if (f->plan->policy == POLICY_RANDOM) {
		add_row(f, 0);
		f->out->why = "a random worker for each packet";
	} else if (f->plan->policy == POLICY_ROUND_ROBIN) {
		add_row(f, 0);
		f->out->why = "in turns, which other packets take too";
	} else if (f->out->hash_known) {
		follow_chain(f, (struct circumstances){ 0 });
	} else {
		add_row(f, 0);
		f->out->why =
			"by the kernel's hash, whose key is secret: the probabilities are the shares of the table";
	}
	if (f->explanation->outcomes.n)
		return;
	f->out->all_weightless = true;
	outcome_add_kernel_pick(f);
	f->out->why = f->out->by_incoming_cpu ?
			      "no worker may receive work: the kernel picks among all members, by "
			      "SO_INCOMING_CPU" :
			      "no worker may receive work: the kernel picks among all members";
}

/* Return whether the packet belongs to a known sticky flow, whose worker gets it by any
 * policy. */
static bool decide_by_flow(struct finding *f, const struct reuseport_packet *packet)
{
	struct tuple tuple = explained_tuple(packet);
	int slot = flow_table_slot(&f->attachment->view, &tuple);

	if (slot < 0 || !attachment_has_worker(f->attachment, slot))
		return false;
	f->out->known_flow = true;
	f->out->row = -1;
	outcome_add(f, f->attachment->view.workers[slot].cookie, 1);
	return true;
}

static void decide_by_policy(struct finding *f, const struct reuseport_packet *packet)
{
	const struct attachment *a = f->attachment;

	read_policy(&f->explanation->policy, a);
	f->plan = plan_in_use(&a->view);
	f->entries = half_entries(&a->view, a->view.control->epoch);
	f->out->hash_known = f->plan->flags & PLAN_OWN_HASH;
	f->out->guarded = f->plan->flags & PLAN_GUARDED;
	if (f->out->hash_known) {
		struct tuple t = explained_tuple(packet);

		f->out->hash = key_hash(f->plan, &t);
	}
	if (decide_by_flow(f, packet)) {
		f->out->why = "a known flow, which stays with its worker";
	} else if (f->plan->width) {
		decide_by_table(f, packet);
	} else if (read_policy_leaves_pick(&f->explanation->policy)) {
		f->out->row = -1;
		f->out->why = outcome_add_kernel_pick(f);
	} else {
		f->out->row = -1;
		outcome_add_all_members(f);
		f->out->why =
			"by the kernel's hash, whose key is secret: all members are equally likely";
	}
}

/* -------------------------------------------------------------------- ordering */

static int compare_outcomes(const void *a, const void *b)
{
	const struct reuseport_outcome *x = a, *y = b;

	if (x->probability != y->probability)
		return x->probability > y->probability ? -1 : 1;
	if (x->slot != y->slot)
		return (unsigned int)x->slot < (unsigned int)y->slot ? -1 : 1;
	return x->cookie < y->cookie ? -1 : x->cookie > y->cookie;
}

static bool is_possible(const void *outcome)
{
	return ((const struct reuseport_outcome *)outcome)->probability > 0;
}

int outcomes_find(struct explanation *explanation, const struct reuseport_packet *packet,
		  const struct lookup_candidate *winner, const struct attachment *attachment,
		  const struct group_members *members, struct explained_owners *owners,
		  struct reuseport_error *err)
{
	struct reuseport_explanation *out = &explanation->out;
	struct finding f = { .explanation = explanation,
			     .out = out,
			     .attachment = attachment,
			     .winner = winner,
			     .packet = packet,
			     .members = members,
			     .owners = owners };

	if (out->decider == REUSEPORT_POLICY) {
		decide_by_policy(&f, packet);
	} else if (out->decider == REUSEPORT_SOCKET) {
		outcome_add(&f, winner->cookie, 1);
		out->why = winner->sockets > 1 ?
				   "the sockets share their address without SO_REUSEPORT: the "
				   "kernel gives all to one of them" :
				   "it is the only socket, so there is no choice";
	} else if (out->decider == REUSEPORT_FOREIGN) {
		outcome_add_all_members(&f);
		out->why = "another program decides, in a way that this toolkit does not know";
	} else {
		out->why = outcome_add_kernel_pick(&f);
	}
	if (f.no_memory)
		return fail(err, ENOMEM, "out of memory");
	item_list_filter(&explanation->outcomes, is_possible);
	item_list_sort(&explanation->outcomes, compare_outcomes);
	return 0;
}
