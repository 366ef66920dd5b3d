// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * The steering program. For each SYN, datagram or migrating request: read the plan,
 * decide by its policy, select the worker's slot, count.
 *
 * It always returns SK_PASS. Without a selection, the kernel picks a member itself.
 */
#include "kernel.h"
#include "asked.h"
#include "decide/chain.h"
#include "decide/least_queue.h"
#include "packet.h"
#include "select.h"
#include "sock_reuseport.h"
#include "sticky.h"

#define TCP_ESTABLISHED 1
#define IPPROTO_UDP 17

const volatile __u32 slots = 1;
const volatile __u32 table_lines = 1; /* of each half of the table */
const volatile __u32 table_entries = 1;
const volatile __u32 cpus = 1;  /* rows of the table for policy "cpu" */
const volatile __u32 nodes = 1; /* for policy "numa" */
const volatile bool udp;
const volatile bool migrate = true; /* the attach type is select-or-migrate */

/*
 * The verifier checks a function that is not static once, for any arguments, and not
 * again on each path that calls it. This keeps the number of paths low. The code that
 * most packets need is inlined and short, because it must be in the instruction cache
 * for each packet.
 */

/* The state of one run of the program. */
struct run {
	struct sk_reuseport_md *ctx;
	const struct plan *plan;
	__u32 half; /* of the table */
	bool migrating;
};

/* ---------------------------------------------------- the kernel's own group */

/*
 * Return whether the socket is connected. A connected UDP socket has left the array.
 * (Up to Linux 6.12, one that was bound to an address stays. The kernel then goes by
 * its score, whatever is selected here. A check for each packet would cost as much as
 * the counters.)
 */
static __always_inline bool is_connected(struct sock *sk)
{
	return KERNEL_READ(struct sock, sk, __sk_common.skc_state) == TCP_ESTABLISHED;
}

/* Return whether a member has set SO_INCOMING_CPU, which the kernel's pick then goes
 * by (6.2). */
static __always_inline bool has_incoming_cpu(struct sock_reuseport *group)
{
	return bpf_core_field_exists(group->incoming_cpu) &&
	       KERNEL_READ(struct sock_reuseport, group, incoming_cpu);
}

static __always_inline __u64 sockets_address(void)
{
	if (!control.first_entry)
		control.first_entry = first_entry_of(&sockets);
	return control.first_entry;
}

/* Return the slot of the member that the policy picks. Where there is none, count the
 * reason and return NO_SLOT. */
static __always_inline __u32 pick_member(const struct run *run, bool linux39)
{
	struct sock_reuseport *group = group_of(run->ctx);
	__u32 n = KERNEL_READ(struct sock_reuseport, group, num_socks);
	__u32 hash = run->ctx->hash, slot;
	struct sock *sk;

	if (!n) {
		COUNT(unreadable);
		return NO_SLOT;
	}
	if (!linux39 && has_incoming_cpu(group)) {
		COUNT(incoming_cpu);
		return NO_SLOT;
	}
	sk = member_of(group, linux39 ? decide_linux39(hash, n) : decide_hash(hash, n));
	slot = slot_of(sk, sockets_address(), slots);
	if (slot == NO_SLOT) {
		if (is_connected(sk))
			COUNT(connected);
		else
			COUNT(unregistered);
	}
	return slot;
}

/* ----------------------------------------------------------------- the table */

static __always_inline struct table_line *table_line_of(__u32 half, __u32 index)
{
	__u32 line = index / TABLE_LINE_ENTRIES + half * table_lines;

	return bpf_map_lookup_elem(&table, &line);
}

static __always_inline __u32 table_slot(__u32 half, __u32 index)
{
	struct table_line *line = table_line_of(half, index);

	return line ? line->slot[index % TABLE_LINE_ENTRIES] : TABLE_NO_WORKER;
}

/* Return the socket in a slot, NULL if the slot is empty. */
static __always_inline struct sock *socket_in(__u64 first_entry, __u32 slot)
{
	return slot < slots ? (struct sock *)kernel_word(first_entry + slot * sizeof(void *)) :
			      NULL;
}

/* Return the length of a worker's queue: connections to accept, or bytes to receive. */
static __always_inline __u32 queue_of(struct sock *sk)
{
	if (udp)
		return KERNEL_READ(struct sock, sk, sk_backlog.rmem_alloc.counter);
	return KERNEL_READ(struct sock, sk, sk_ack_backlog);
}

/* Return the slot of the worker with the shortest queue, of those that are compared. A
 * call costs less than one look; inlined, it was most of what the verifier followed. */
__noinline __u32 shortest_queue(__u32 hash, __u32 half)
{
	__u64 best = LEAST_QUEUE_NONE, first_entry = sockets_address();
	struct table_line *line = NULL;
	__u32 n, looks;

	half &= 1;
	n = control.plan[half].width;
	looks = least_queue_looks(n);
	for (__u32 i = 0; i < LEAST_QUEUE_SCAN && i < looks; i++) {
		__u32 index = least_queue_index(hash, n, i), slot;
		struct sock *sk;
		__u64 one;

		/* A scan of all workers needs the first line only. */
		if (!i || n > LEAST_QUEUE_SCAN)
			line = table_line_of(half, index);
		if (!line)
			break;
		slot = line->slot[index % TABLE_LINE_ENTRIES];
		sk = socket_in(first_entry, slot);
		if (!sk || asks_for_nothing_new(slot))
			continue;
		one = least_queue_rank(queue_of(sk), hash, slot);
		if (one < best)
			best = one;
	}
	return least_queue_slot(best);
}

/* Take the next turn of this CPU. */
static __always_inline __u32 next_turn(const struct plan *plan)
{
	struct group_counters *total = get_total();

	return total ? chain_turn(total->turns++, bpf_get_smp_processor_id(), plan->width) : 0;
}

/* Return the slot that a step of the fallback chain leads to; step 0 is the first
 * choice. */
static __always_inline __u32 choose(const struct plan *plan, __u32 half, __u32 hash, __u32 step)
{
	struct circumstances at = { 0 };

	if (likely(plan->policy <= POLICY_RANDOM))
		return table_slot(half, chain_index(plan, hash, &at, step));
	if (plan->policy == POLICY_CPU) {
		at.row = bpf_get_smp_processor_id();
		at.rows = cpus;
		return table_slot(half, chain_index(plan, hash, &at, step));
	}
	switch (plan->policy) {
	case POLICY_LEAST_QUEUE:
		return shortest_queue(chain_hash(hash, step), half);
	case POLICY_NUMA:
		at.row = bpf_get_numa_node_id();
		at.rows = nodes;
		break;
	case POLICY_ROUND_ROBIN:
		/* A further step takes the turn after this one. The next packet must
		 * neither repeat nor skip it. */
		at.turn = next_turn(plan) - step;
		break;
	default:
		break;
	}
	return table_slot(half, chain_index(plan, hash, &at, step));
}

/* Return the SipHash of the packet's key, or of the migrating request's. */
__noinline __u32 any_key_hash(struct sk_reuseport_md *ctx, __u32 half)
{
	struct tuple t = { 0 };

	if (migrate && ctx->migrating_sk)
		tuple_of_request(&t, ctx->migrating_sk);
	else
		tuple_of_packet(&t, ctx);
	return key_hash(&control.plan[half & 1], &t);
}

/* Return the same on a shorter path for the most common key and family. */
static __always_inline __u32 own_hash(const struct run *run)
{
	struct tuple t = { 0 };

	if (likely(run->plan->key == KEY_TUPLE && tuple_of_ipv4(&t, run->ctx)))
		return key_hash_ipv4_tuple(run->plan, &t);
	return any_key_hash(run->ctx, run->half);
}

static __always_inline __u32 hash_of(const struct run *run)
{
	if (run->plan->flags & PLAN_OWN_HASH)
		return own_hash(run);
	return run->plan->policy == POLICY_RANDOM ? bpf_get_prandom_u32() : run->ctx->hash;
}

/* --------------------------------------------------------- select and count */

__noinline __u32 choose_again(__u32 hash, __u32 half, __u32 step)
{
	half &= 1;
	return choose(&control.plan[half], half, hash, step);
}

/* Select the slot if its worker may receive new work; return whether that worked. */
__noinline int select_if_allowed(struct sk_reuseport_md *ctx, __u32 half, __u32 slot)
{
	__u32 weight = table_slot(half & 1, table_entries + GENERATIONS_ENTRIES + slot);

	return slot < slots && weight && weight != TABLE_NO_WORKER && !asks_for_nothing_new(slot) &&
	       !select_slot(ctx, slot, migrate && ctx->migrating_sk);
}

/* Try the slots from the i-th one on that select_any() tries; return the one that was
 * selected, or -1. */
__noinline int select_any_from(struct sk_reuseport_md *ctx, __u32 hash, __u32 half, __u32 i)
{
	for (__u32 n = 0; n < CHAIN_ANY_STRETCH && i < slots; n++, i++) {
		__u32 slot = chain_any(hash, slots, i);

		if (select_if_allowed(ctx, half, slot))
			return slot;
	}
	return -1;
}

/* Select any worker that may receive new work, from a slot on that the hash gives.
 * Return its slot, or -1. */
static __always_inline int select_any(struct sk_reuseport_md *ctx, __u32 hash, __u32 half)
{
	for (__u32 i = 0; i < CHAIN_ANY_MAX && i < slots; i += CHAIN_ANY_STRETCH) {
		int slot = select_any_from(ctx, hash, half, i);

		if (slot >= 0)
			return slot;
	}
	return -1;
}

/* Take the further steps of the fallback chain, after the first choice has failed.
 * Return the slot that was selected, or -1. */
__noinline int next_best(struct sk_reuseport_md *ctx, __u32 hash, __u32 half)
{
	bool migrating = migrate && ctx->migrating_sk;
	int selected = -1;

	COUNT(next_best);
	half &= 1;
	for (__u32 step = 1; step < CHAIN_STEPS; step++) {
		__u32 slot = choose_again(hash, half, step);

		if (slot < slots && !asks_for_nothing_new(slot) &&
		    !select_slot(ctx, slot, migrating))
			return slot;
	}
	if (control.plan[half].flags & PLAN_GUARDED || control.asked)
		selected = select_any(ctx, hash, half);
	if (selected < 0)
		COUNT(exhausted);
	return selected;
}

/* Return whether there are workers that "least-queue" has not looked at. */
static __always_inline bool may_look_again(const struct plan *plan)
{
	return plan->policy == POLICY_LEAST_QUEUE && plan->width > LEAST_QUEUE_SCAN;
}

/* Return the slot that was selected, or -1. */
static __always_inline int steer_by_table(const struct run *run)
{
	__u32 hash = hash_of(run), slot = choose(run->plan, run->half, hash, 0);

	if (likely(slot != TABLE_NO_WORKER)) {
		if (!asks_for_nothing_new(slot) && !select_slot(run->ctx, slot, run->migrating))
			return slot;
	} else if (!may_look_again(run->plan)) {
		COUNT(nobody);
		return -1;
	}
	return next_best(run->ctx, hash, run->half);
}

/* Select any worker that may receive new work instead of the member that was picked. */
__noinline int pick_another(struct sk_reuseport_md *ctx, __u32 half)
{
	COUNT(next_best);
	if (select_any(ctx, ctx->hash, half & 1) < 0)
		COUNT(exhausted);
	return 0;
}

/*
 * Steer by the kernel's own group, without a table. Policy "hash" only counts: it has
 * computed which socket the kernel picks, and to select the same one would cost more
 * than all the rest.
 */
static __always_inline void steer_by_group(const struct run *run)
{
	bool by_hash = run->plan->policy == POLICY_HASH;
	__u32 slot = pick_member(run, !by_hash);

	if (slot == NO_SLOT)
		return;
	if (asks_for_nothing_new(slot))
		pick_another(run->ctx, run->half);
	else if (by_hash)
		count_choice(run->ctx, slot, 0, run->migrating);
	else if (select_slot(run->ctx, slot, run->migrating))
		COUNT(exhausted);
}

/* ------------------------------------------------------------------ one packet */

/* Steer a packet of a known flow to the flow's worker, others by the table. */
static __always_inline void steer_by_flow(const struct run *run)
{
	struct flow_before before = { 0 };
	__u64 hash = flow_hash_of(run->ctx);
	__u32 now = bpf_jiffies64();
	int slot, first;

	if (follow_flow(run->ctx, hash, now, &before))
		return;
	slot = steer_by_table(run);
	if (slot < 0)
		return;
	first = remember_flow(hash, slot, now, before.cookie, before.seen);
	if (first >= 0)
		follow_first(run->ctx, slot, first);
}

SEC("sk_reuseport/migrate")
int reuseport_steer(struct sk_reuseport_md *ctx)
{
	struct run run = { .ctx = ctx, .migrating = migrate && ctx->migrating_sk };

	if (tells && plain_reads)
		tell_of_members(ctx);
	if (run.migrating)
		COUNT(migrations);
	run.half = control.epoch & 1;
	run.plan = &control.plan[run.half];
	if (!run.plan->width)
		steer_by_group(&run);
	else if (flow_buckets)
		steer_by_flow(&run);
	else
		steer_by_table(&run);
	return SK_PASS;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
