// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * The steering program: for each SYN, datagram or migrating request, read the
 * plan, decide by its policy, select the worker's slot, count.
 *
 * Whatever fails, the return value is SK_PASS: without a selection the kernel
 * picks by itself.
 */
#include "kernel.h"
#include "decide/chain.h"
#include "decide/flow.h"
#include "decide/least_queue.h"
#include "maps.h"
#include "packet.h"
#include "sock_reuseport.h"

#define ENOENT 2
#define FLOW_LOCK_TRIES 1024 /* some 20 us: an interrupt of the other CPU */
#define TCP_ESTABLISHED 1
#define IPPROTO_UDP 17

#ifndef likely /* libbpf 1.6 has it */
#define likely(condition) __builtin_expect(!!(condition), 1)
#endif

const volatile __u32 slots = 1;
const volatile __u32 table_lines = 1; /* of each half of the table */
const volatile __u32 table_entries = 1;
const volatile __u32 cpus = 1;     /* rows of the table for policy "cpu" */
const volatile __u32 nodes = 1;    /* for policy "numa" */
const volatile __u32 flow_buckets; /* of the map "flows"; 0: flows are not sticky */
const volatile __u32 idle_ticks;   /* after which a flow is new again; 0: never */
const volatile __u64 flow_key[2];  /* of SipHash */
const volatile bool udp;
const volatile bool migrate = true; /* the attach type is select-or-migrate */

/*
 * The functions that are not static are verified once, for any arguments, and
 * not again for each way that leads to them: else the ways would multiply. What
 * most packets need is inlined, and little: what the program runs through has to
 * come back into the instruction cache for each packet.
 */

/* What one run has found out. */
struct run {
	struct sk_reuseport_md *ctx;
	const struct plan *plan;
	__u32 half; /* of the table */
	bool migrating;
};

static __always_inline struct group_counters *get_total(void)
{
	__u32 zero = 0;

	return bpf_map_lookup_elem(&totals, &zero);
}

#define COUNT(member)                                        \
	do {                                                 \
		struct group_counters *total_ = get_total(); \
                                                             \
		if (total_)                                  \
			total_->member++;                    \
	} while (0)

/* ---------------------------------------------------- the kernel's own group */

/*
 * A connected UDP socket has left the array. (Up to Linux 6.12 one that was
 * bound to an address stays; the kernel then goes by its score, whatever we
 * select, and to ask here each time would cost as much as the counters.)
 */
static __always_inline bool is_connected(struct sock *sk)
{
	return KERNEL_READ(struct sock, sk, __sk_common.skc_state) == TCP_ESTABLISHED;
}

/* A member has set SO_INCOMING_CPU, by which the kernel then picks (6.2). */
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

/* The slot of the member that the policy picks; NO_SLOT, with the reason
 * counted. */
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

	return line ? line->slot[index % TABLE_LINE_ENTRIES] : TABLE_NOBODY;
}

/* The socket in a slot, NULL for none. */
static __always_inline struct sock *socket_in(__u64 first_entry, __u32 slot)
{
	return slot < slots ? (struct sock *)kernel_word(first_entry + slot * sizeof(void *)) :
			      NULL;
}

/* What waits for a worker: connections to accept, or bytes to receive. */
static __always_inline __u32 queue_of(struct sock *sk)
{
	if (udp)
		return KERNEL_READ(struct sock, sk, sk_backlog.rmem_alloc.counter);
	return KERNEL_READ(struct sock, sk, sk_ack_backlog);
}

static __always_inline __u32 shortest_queue(__u32 hash, __u32 half)
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

		/* All that are scanned are in the first line. */
		if (!i || n > LEAST_QUEUE_SCAN)
			line = table_line_of(half, index);
		if (!line)
			break;
		slot = line->slot[index % TABLE_LINE_ENTRIES];
		sk = socket_in(first_entry, slot);
		if (!sk)
			continue;
		one = least_queue_rank(queue_of(sk), hash, slot);
		if (one < best)
			best = one;
	}
	return least_queue_slot(best);
}

/* Each CPU takes turns of its own. */
static __always_inline __u32 next_turn(const struct plan *plan)
{
	struct group_counters *total = get_total();

	return total ? chain_turn(total->turns++, bpf_get_smp_processor_id(), plan->width) : 0;
}

/* The slot that a try leads to. */
static __always_inline __u32 choose(const struct plan *plan, __u32 half, __u32 hash, __u32 try)
{
	struct circumstances at = { 0 };

	if (likely(plan->policy <= POLICY_RANDOM))
		return table_slot(half, chain_index(plan, hash, &at, try));
	if (plan->policy == POLICY_CPU) {
		at.row = bpf_get_smp_processor_id();
		at.rows = cpus;
		return table_slot(half, chain_index(plan, hash, &at, try));
	}
	switch (plan->policy) {
	case POLICY_LEAST_QUEUE:
		return shortest_queue(chain_hash(hash, try), half);
	case POLICY_NUMA:
		at.row = bpf_get_numa_node_id();
		at.rows = nodes;
		break;
	case POLICY_ROUND_ROBIN:
		/* A further try takes the turn after, which the next packet must
		 * neither take again nor skip. */
		at.turn = next_turn(plan) - try;
		break;
	default:
		break;
	}
	return table_slot(half, chain_index(plan, hash, &at, try));
}

/* SipHash of the key; without a packet, of the request that migrates. */
__noinline __u32 any_key_hash(struct sk_reuseport_md *ctx, __u32 half)
{
	struct tuple t = { 0 };

	if (migrate && ctx->migrating_sk)
		tuple_of_request(&t, ctx->migrating_sk);
	else
		tuple_of_packet(&t, ctx);
	return key_hash(&control.plan[half & 1], &t);
}

/* The most usual one has a shorter way. */
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

/* 0: the worker has it, or is to have it by the kernel's own pick. */
static __always_inline long count_choice(__u32 slot, long err, bool migrating)
{
	struct slot_counters *count = bpf_map_lookup_elem(&counters, &slot);

	if (!count)
		return -ENOENT;
	if (likely(!err && !migrating)) {
		count->selected++;
		barrier(); /* or clang computes an address, which no verifier likes */
	} else if (!err) {
		count->migrated++;
	} else if (err == -ENOENT) {
		count->empty++;
	} else {
		count->refused++;
	}
	return err;
}

static __always_inline long select(struct sk_reuseport_md *ctx, __u32 slot, bool migrating)
{
	return count_choice(slot, bpf_sk_select_reuseport(ctx, &sockets, &slot, 0), migrating);
}

__noinline __u32 choose_again(__u32 hash, __u32 half, __u32 try)
{
	half &= 1;
	return choose(&control.plan[half], half, hash, try);
}

/* Whether a worker that may get work has taken it. */
__noinline int take_if_allowed(struct sk_reuseport_md *ctx, __u32 half, __u32 slot)
{
	__u32 weight = table_slot(half & 1, table_entries + GENERATIONS_ENTRIES + slot);

	return slot < slots && weight && weight != TABLE_NOBODY &&
	       !select(ctx, slot, migrate && ctx->migrating_sk);
}

/* Whoever may get work, one after the other, from a slot that the hash says. */
__noinline int take_any(struct sk_reuseport_md *ctx, __u32 hash, __u32 half)
{
	for (__u32 i = 0; i < CHAIN_ANY_MAX && i < slots; i++) {
		__u32 slot = chain_any(hash, slots, i);

		if (take_if_allowed(ctx, half, slot))
			return slot;
	}
	return -1;
}

/* The first choice could not take it. Returns the slot that did, or -1. */
__noinline int next_best(struct sk_reuseport_md *ctx, __u32 hash, __u32 half)
{
	bool migrating = migrate && ctx->migrating_sk;
	int taken = -1;

	COUNT(next_best);
	half &= 1;
	for (__u32 try = 1; try < CHAIN_TRIES; try++) {
		__u32 slot = choose_again(hash, half, try);

		if (slot < slots && !select(ctx, slot, migrating))
			return slot;
	}
	if (control.plan[half].flags & PLAN_GUARDED)
		taken = take_any(ctx, hash, half);
	if (taken < 0)
		COUNT(exhausted);
	return taken;
}

/* Those that were looked at have left; of the others nothing is known. */
static __always_inline bool may_look_again(const struct plan *plan)
{
	return plan->policy == POLICY_LEAST_QUEUE && plan->width > LEAST_QUEUE_SCAN;
}

/* Returns the slot that took it, or -1. */
static __always_inline int steer_by_table(const struct run *run)
{
	__u32 hash = hash_of(run), slot = choose(run->plan, run->half, hash, 0);

	if (likely(slot != TABLE_NOBODY)) {
		if (!select(run->ctx, slot, run->migrating))
			return slot;
	} else if (!may_look_again(run->plan)) {
		COUNT(nobody);
		return -1;
	}
	return next_best(run->ctx, hash, run->half);
}

/*
 * Policy "hash" has found out which socket the kernel picks: to select the same
 * one would change nothing and cost more than all the rest.
 */
static __always_inline void steer_by_group(const struct run *run)
{
	__u32 slot;

	if (run->plan->policy == POLICY_HASH) {
		slot = pick_member(run, false);
		if (slot != NO_SLOT)
			count_choice(slot, 0, run->migrating);
	} else {
		slot = pick_member(run, true);
		if (slot != NO_SLOT && select(run->ctx, slot, run->migrating))
			COUNT(exhausted);
	}
}

/* ------------------------------------------------------------- sticky flows */

static __always_inline struct flow_bucket *bucket_of(__u64 hash)
{
	__u32 index = flow_bucket(hash, flow_buckets);

	return bpf_map_lookup_elem(&flows, &index);
}

/* The hash of a packet that is not IPv4, or not as usual. The key is read as it is
 * declared, volatile: else the compiler takes it for the zeroes that are here. */
__noinline __u64 any_flow_hash(struct sk_reuseport_md *ctx)
{
	const __u64 key[2] = { flow_key[0], flow_key[1] };
	struct tuple t = { 0 };

	tuple_of_packet(&t, ctx);
	return flow_hash(key, &t);
}

static __always_inline __u64 flow_hash_of(struct sk_reuseport_md *ctx)
{
	const __u64 key[2] = { flow_key[0], flow_key[1] };
	struct tuple t = { 0 };
	struct siphash s;

	if (!likely(tuple_of_ipv4(&t, ctx)))
		return any_flow_hash(ctx);
	siphash_begin(&s, key);
	return key_hash_tuple4(&s, &t);
}

/* Who had the flow when this run looked; all 0: nobody. */
struct flow_before {
	__u32 cookie, seen;
};

/*
 * A lock that nobody waits for long: who is not alone steps back and tries again. An
 * addition without its result is all that old kernels have (before 5.12), and costs a
 * tenth of a spin lock's two calls. It orders as well on x86; where it does not, two
 * CPUs may once in a while both enter, and the flow is found to be of nobody.
 */
static __always_inline bool lock_bucket(struct flow_lock *lock)
{
	for (__u32 i = 0; i < FLOW_LOCK_TRIES; i++) {
		__sync_fetch_and_add(&lock->entering, 1);
		if (*(volatile __u64 *)&lock->entering == 1)
			return true;
		__sync_fetch_and_add(&lock->entering, -1);
	}
	return false;
}

static __always_inline void unlock_bucket(struct flow_lock *lock)
{
	barrier();
	__sync_fetch_and_add(&lock->entering, -1);
}

/*
 * From now on the flow is this worker's. The tag comes last: who looks meanwhile
 * finds no flow, or one of nobody. Unless another CPU has entered it since this run
 * looked: returns the slot of its worker then, else -1.
 */
__noinline int remember(__u64 hash, __u32 slot, __u32 now, __u32 cookie_before, __u32 seen_before)
{
	struct worker_entry *worker;
	struct flow_bucket *bucket;
	struct flow_lock *lock;
	__u32 tag = flow_tag(hash), cookie, index;
	bool entered = false, moved = false;
	struct flow *flow;
	int first = -1;

	/* Verified even if nobody calls it; then there are no such maps. */
	if (!flow_buckets)
		return -1;
	worker = bpf_map_lookup_elem(&workers, &slot);
	bucket = bucket_of(hash);
	index = flow_bucket(hash, flow_buckets) % FLOW_LOCKS;
	lock = bpf_map_lookup_elem(&flow_locks, &index);
	if (!worker || !bucket || !lock)
		return -1;
	cookie = worker->cookie;
	if (!lock_bucket(lock))
		return -1;
	flow = flow_find(bucket, tag);
	if (flow && (flow->cookie != cookie_before || flow->seen != seen_before)) {
		first = flow->slot;
	} else {
		if (flow) {
			moved = flow->cookie != cookie;
		} else {
			entered = true;
			flow = flow_make_room(bucket, now);
			flow->tag = 0;
		}
		barrier();
		flow->cookie = cookie;
		flow->slot = slot;
		flow->seen = now;
		barrier();
		flow->tag = tag;
	}
	unlock_bucket(lock);
	if (entered)
		COUNT(flows);
	if (moved)
		COUNT(flows_moved);
	return first;
}

/* The packet goes to the flow's worker instead of the one that it was given to. */
static __always_inline void follow_the_first(const struct run *run, __u32 given, __u32 first)
{
	struct slot_counters *count;

	if (first == given || select(run->ctx, first, false))
		return;
	count = bpf_map_lookup_elem(&counters, &given);
	if (count)
		count->selected--;
}

/* Whether the flow has a worker that took the packet. */
static __always_inline bool follow_flow(const struct run *run, __u64 hash, __u32 now,
					struct flow_before *before)
{
	struct flow_bucket *bucket = bucket_of(hash);
	struct flow *flow = bucket ? flow_find(bucket, flow_tag(hash)) : NULL;
	struct worker_entry *worker;
	__u32 slot;

	if (!flow)
		return false;
	before->cookie = flow->cookie;
	before->seen = flow->seen;
	slot = flow->slot;
	worker = bpf_map_lookup_elem(&workers, &slot);
	if (!worker || !flow_is_of(flow, worker) || flow_is_idle(flow, now, idle_ticks) ||
	    select(run->ctx, slot, false))
		return false;
	if (flow_age(flow, now) > FLOW_NOTE_TICKS)
		flow->seen = now;
	return true;
}

static __always_inline void steer_by_flow(const struct run *run)
{
	struct flow_before before = { 0 };
	__u64 hash = flow_hash_of(run->ctx);
	__u32 now = bpf_jiffies64();
	int slot, first;

	if (follow_flow(run, hash, now, &before))
		return;
	slot = steer_by_table(run);
	if (slot < 0)
		return;
	first = remember(hash, slot, now, before.cookie, before.seen);
	if (first >= 0)
		follow_the_first(run, slot, first);
}

SEC("sk_reuseport/migrate")
int reuseport_steer(struct sk_reuseport_md *ctx)
{
	struct run run = { .ctx = ctx, .migrating = migrate && ctx->migrating_sk };

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
