/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * Publishing a plan, on maps in plain memory, against a reference that reads the
 * layout from abi.h and compiles every table from nothing. Sockets, CPUs, nodes and
 * membarrier() are made up.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
/* After those four, which it needs. */
#include <cmocka.h>

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "policy/table_compile.h"
#include "random.h"
#include "state/apply_policy.h"
#include "state/publish.h"

#define ROOM 1024
#define CPUS 8
#define NODES 2
#define SLOTS 12

/* ----------------------------------------------------------- what is made up */

static struct attachment at;
static uint64_t sockets[SLOTS];     /* cookies; 0: the slot is empty */
static struct cpus affinity[SLOTS]; /* by pid */
static unsigned int syncs;          /* calls of membarrier() */
static void (*on_sync)(void);       /* at each of them */
static bool compile_fails;
static uint64_t seed;

bool __wrap_sockarray_holds(int map, unsigned int slot, uint64_t cookie);
bool __wrap_sockarray_holds(int map, unsigned int slot, uint64_t cookie)
{
	(void)map;
	return sockets[slot] == cookie;
}

unsigned int __wrap_topology_nodes(void);
unsigned int __wrap_topology_nodes(void)
{
	return NODES;
}

void __wrap_topology_cpus_of_node(unsigned int node, struct cpus *set);
void __wrap_topology_cpus_of_node(unsigned int node, struct cpus *set)
{
	*set = (struct cpus){ 0 };
	for (unsigned int cpu = node; cpu < CPUS; cpu += NODES)
		cpus_add(set, cpu);
}

int __wrap_cpus_of_process(uint32_t pid, struct cpus *set);
int __wrap_cpus_of_process(uint32_t pid, struct cpus *set)
{
	*set = affinity[pid];
	return 0;
}

long __wrap_syscall(long number, ...);
long __wrap_syscall(long number, ...)
{
	assert_int_equal(number, SYS_membarrier);
	syncs++;
	if (on_sync)
		on_sync();
	return 0;
}

int __real_table_compile(const struct table_spec *c, uint16_t *entries, uint32_t *width);
int __wrap_table_compile(const struct table_spec *c, uint16_t *entries, uint32_t *width);
int __wrap_table_compile(const struct table_spec *c, uint16_t *entries, uint32_t *width)
{
	return compile_fails ? -ENOMEM : __real_table_compile(c, entries, width);
}

static uint32_t below(uint32_t n)
{
	return (uint64_t)next_hash(&seed) * n >> 32;
}

/* Return the 16-bit words of half a table, by abi.h: whole lines that hold the
 * entries, struct generations and the weights. */
static size_t words_of_half(void)
{
	return (ROOM + sizeof(struct generations) / 2 + at.view.size.slots + 31) / 32 * 32;
}

static int begin(void **state)
{
	(void)state;
	at = (struct attachment){ .text = "the group", .steering = STEERING_NONE };
	at.entry.slots = SLOTS;
	at.view.size =
		(struct steering_size){ .slots = SLOTS, .table_entries = ROOM, .cpus = CPUS };
	at.view.control = calloc(1, sizeof(struct control));
	at.view.table = calloc(2 * words_of_half(), sizeof(uint16_t));
	at.view.workers = calloc(SLOTS, sizeof(struct worker_entry));
	at.view.cpu_map = calloc(CPUS, sizeof(struct given_cpu));
	memset(sockets, 0, sizeof(sockets));
	memset(affinity, 0xff, sizeof(affinity));
	syncs = 0;
	on_sync = NULL;
	compile_fails = false;
	seed = 88172645463325252ULL;
	return 0;
}

static int end(void **state)
{
	(void)state;
	free(at.view.control);
	free(at.view.table);
	free(at.view.workers);
	free(at.view.cpu_map);
	return 0;
}

/* Let a worker join that gets work. */
static void seat(unsigned int slot, unsigned int weight)
{
	at.view.workers[slot] = (struct worker_entry){
		.cookie = 1000 + slot, .pid = slot, .state = WORKER_ACTIVE, .weight = weight
	};
	sockets[slot] = 1000 + slot;
}

static int publish(const struct plan_spec *want)
{
	struct reuseport_error err = { 0 };
	int ret = publish_plan(&at, want, &err);

	assert_true(ret == 0 || ret == 1);
	return ret;
}

/* ------------------------------------------------------------- the reference */

/* Everything that a packet goes by. */
struct image {
	struct plan plan; /* its width and PLAN_GUARDED are below */
	uint32_t width;
	bool guarded;
	struct generations generations;
	uint32_t weights[SLOTS];
	uint16_t entries[ROOM];
};

static bool by_place(const struct image *image)
{
	return image->plan.policy == POLICY_CPU || image->plan.policy == POLICY_NUMA;
}

static size_t entries_used(const struct image *image)
{
	unsigned int rows = image->plan.policy == POLICY_CPU  ? CPUS + 1 :
			    image->plan.policy == POLICY_NUMA ? NODES + 1 :
								1;

	return rows * image->width;
}

/* Read what is in use. */
static void read_image(struct image *image)
{
	const struct control *control = at.view.control;
	const uint16_t *half = at.view.table + control->epoch % 2 * words_of_half();

	memset(image, 0, sizeof(*image));
	image->plan = control->plan[control->epoch % 2];
	image->width = image->plan.width;
	image->guarded = image->plan.flags & PLAN_GUARDED;
	image->plan.width = 0;
	image->plan.flags &= ~PLAN_GUARDED;
	memcpy(&image->generations, half + ROOM, sizeof(image->generations));
	for (unsigned int slot = 0; slot < SLOTS; slot++)
		image->weights[slot] = (half + ROOM + 8)[slot];
	memcpy(image->entries, half, entries_used(image) * sizeof(uint16_t));
}

static void cpus_by_map(unsigned int slot, struct cpus *set)
{
	*set = (struct cpus){ 0 };
	for (unsigned int cpu = 0; cpu < CPUS; cpu++)
		if (at.view.cpu_map[cpu].given && at.view.cpu_map[cpu].slot == slot)
			cpus_add(set, cpu);
}

/* Make what should be in use: each worker that is there, active and of the serving
 * generation has its weight, and the table is compiled from nothing. */
static void make_image(const struct plan_spec *want, struct image *image)
{
	static struct cpus cpus[SLOTS];
	struct table_spec spec = { .room = ROOM,
				   .slots = SLOTS,
				   .weights = image->weights,
				   .cpu_count = CPUS,
				   .node_count = NODES,
				   .cpus = cpus };

	memset(image, 0, sizeof(*image));
	image->plan = want->plan;
	image->plan.width = 0;
	image->plan.flags &= ~PLAN_GUARDED;
	image->generations = want->generations;
	image->guarded = want->generations.phase != ROLLOUT_NONE ||
			 (want->plan.flags & PLAN_ADMIT_MANUAL);
	for (unsigned int slot = 0; slot < SLOTS; slot++) {
		const struct worker_entry *w = &at.view.workers[slot];
		bool there = w->state != WORKER_FREE && w->cookie == sockets[slot];

		if (there && w->state == WORKER_ACTIVE &&
		    w->generation == want->generations.serving)
			image->weights[slot] = w->weight;
		if (there && !image->weights[slot])
			image->guarded = true;
		if (want->plan.flags & PLAN_GIVEN_CPUS)
			cpus_by_map(slot, &cpus[slot]);
		else
			cpus[slot] = affinity[w->pid];
	}
	spec.plan = image->plan;
	spec.restricted = image->guarded || at.view.size.flows;
	assert_int_equal(__real_table_compile(&spec, image->entries, &image->width), 0);
	memset(image->entries + entries_used(image), 0,
	       (ROOM - entries_used(image)) * sizeof(uint16_t));
}

/* Return whether both steer every packet alike. With one table for all, the weights
 * count too, even where the same table comes of them. */
static bool same_image(const struct image *a, const struct image *b)
{
	return !memcmp(&a->plan, &b->plan, sizeof(a->plan)) && a->width == b->width &&
	       a->guarded == b->guarded &&
	       !memcmp(&a->generations, &b->generations, sizeof(a->generations)) &&
	       !memcmp(a->entries, b->entries, sizeof(a->entries)) &&
	       (!a->width || by_place(a) || !memcmp(a->weights, b->weights, sizeof(a->weights)));
}

/* Return whether the weights of the half in use say rightly who gets new work, which
 * they do where there is a table. */
static bool same_zeros(const struct image *a, const struct image *b)
{
	for (unsigned int slot = 0; slot < SLOTS; slot++)
		if (a->width && !a->weights[slot] != !b->weights[slot])
			return false;
	return true;
}

/* ----------------------------------------------------------------- snapshots */

static struct control control_before;
static uint16_t *table_before;

static void snapshot(void)
{
	size_t bytes = 2 * words_of_half() * sizeof(uint16_t);

	control_before = *at.view.control;
	table_before = realloc(table_before, bytes);
	memcpy(table_before, at.view.table, bytes);
}

static void unchanged_half(unsigned int half)
{
	assert_memory_equal(at.view.table + half * words_of_half(),
			    table_before + half * words_of_half(),
			    words_of_half() * sizeof(uint16_t));
	assert_memory_equal(&at.view.control->plan[half], &control_before.plan[half],
			    sizeof(struct plan));
}

/* While a run of the program may still see the half before, nothing is written. */
static void unchanged(void)
{
	unchanged_half(0);
	unchanged_half(1);
	assert_int_equal(at.view.control->epoch, control_before.epoch);
}

/* ---------------------------------------------------------------- properties */

static void change_a_worker(void)
{
	unsigned int slot = below(SLOTS);
	struct worker_entry *w = &at.view.workers[slot];

	switch (below(6)) {
	case 0:
		seat(slot, below(4));
		break;
	case 1: /* it has left, and its entry is still there */
		sockets[slot] = 0;
		break;
	case 2:
		*w = (struct worker_entry){ .state = WORKER_FREE };
		sockets[slot] = 0;
		break;
	case 3:
		w->weight = below(5);
		break;
	case 4:
		if (w->state != WORKER_FREE)
			w->state = WORKER_JOINING + below(4);
		break;
	default:
		w->generation = below(3);
	}
}

static void change_a_place(void)
{
	affinity[below(SLOTS)].words[0] = 1 + below(0xffff);
	at.view.cpu_map[below(CPUS)] = (struct given_cpu){ .given = below(2),
							   .slot = below(SLOTS + 2) };
}

static void change_the_plan(struct plan *plan)
{
	plan->policy = below(POLICY_LINUX39 + 1);
	plan->flags = below(2) ? 0 : below(2) ? PLAN_OWN_HASH : PLAN_ADMIT_MANUAL;
	if (plan->policy == POLICY_WEIGHTED && below(2))
		plan->flags |= PLAN_OVER_CONSISTENT;
	if ((plan->policy == POLICY_CPU || plan->policy == POLICY_NUMA) && below(2))
		plan->flags |= PLAN_GIVEN_CPUS;
}

static void change_one_word(struct plan *plan)
{
	switch (below(5)) {
	case 0:
		plan->key = below(KEY_DST + 1);
		break;
	case 1:
		plan->prefix4 = below(33);
		break;
	case 2:
		plan->prefix6 = below(129);
		break;
	case 3:
		plan->hash_key[below(2)] = below(3);
		break;
	default:
		plan->flags ^= PLAN_ADMIT_MANUAL;
	}
}

static void change_generations(struct generations *g)
{
	if (below(3))
		*g = (struct generations){ .serving = below(2) };
	else
		*g = (struct generations){ below(3), below(3), below(4), below(3) };
}

/* Change something at random, the maps or what is wanted, or nothing. */
static void change_something(struct plan_spec *want)
{
	switch (below(8)) {
	case 0:
		change_the_plan(&want->plan);
		break;
	case 1:
		change_one_word(&want->plan);
		break;
	case 2:
		change_generations(&want->generations);
		break;
	case 3:
		change_a_place();
		break;
	case 4:
	case 5:
	case 6:
		change_a_worker();
	}
	/* Neither is asked for: they are found out. */
	want->plan.width = below(1 << 24);
	want->plan.flags ^= below(2) ? PLAN_GUARDED : 0;
}

/* Publish, and hold it against the reference. Returns what it returned. */
static int publish_and_compare(const struct plan_spec *want)
{
	bool settled = at.view.control->settled == at.view.control->epoch;
	unsigned int epoch = at.view.control->epoch, syncs_before = syncs;
	static struct image before, wanted, after;
	bool needed;
	int ret;

	read_image(&before);
	make_image(want, &wanted);
	needed = !epoch || !same_image(&before, &wanted);
	snapshot();
	on_sync = unchanged;
	ret = publish(want);
	read_image(&after);
	assert_int_equal(ret, needed);
	assert_int_equal(at.view.control->epoch, epoch + needed);
	/* What was in use is as it was. */
	unchanged_half(epoch % 2);
	assert_true(same_image(&after, &wanted));
	assert_true(same_zeros(&after, &wanted));
	if (needed) {
		assert_memory_equal(after.weights, wanted.weights, sizeof(after.weights));
		assert_int_equal(syncs - syncs_before, settled ? 0 : 1);
		assert_int_equal(at.view.control->settled, epoch);
	}
	return ret;
}

static void random_changes(unsigned int flows)
{
	struct plan_spec want = { 0 };
	unsigned int published = 0, rounds = 6000;

	at.view.size.flows = flows;
	for (unsigned int slot = 0; slot < 4; slot++)
		seat(slot, 1);
	for (unsigned int i = 0; i < rounds; i++) {
		for (unsigned int n = below(3); n < 3; n++)
			change_something(&want);
		published += publish_and_compare(&want);
		/* Again with nothing changed. */
		assert_int_equal(publish_and_compare(&want), 0);
	}
	/* Both were seen often enough to mean something. */
	assert_in_range(published, rounds / 5, rounds * 4 / 5);
}

static void as_the_reference(void **state)
{
	(void)state;
	random_changes(0);
}

static void as_the_reference_with_flows(void **state)
{
	(void)state;
	random_changes(1024);
}

/* ------------------------------------------------------------ the corner cases */

static struct plan_spec spec_of(enum steering_policy policy, unsigned int flags)
{
	return (struct plan_spec){ .plan = { .policy = policy, .flags = flags } };
}

/* Even where all zeros is what is wanted. */
static void the_first_one_is_published(void **state)
{
	struct plan_spec want = spec_of(POLICY_HASH, 0);

	(void)state;
	assert_int_equal(publish(&want), 1);
	assert_int_equal(publish(&want), 0);
	assert_int_equal(at.view.control->epoch, 1);
}

/* The kernel's own selection knows no weights, but it does not know "none" either. */
static void the_kernel_selects_until_a_worker_has_no_weight(void **state)
{
	struct plan_spec want = spec_of(POLICY_HASH, 0);

	(void)state;
	seat(0, 1);
	seat(1, 1);
	assert_int_equal(publish(&want), 1);
	assert_int_equal(plan_in_use(&at.view)->width, 0);
	at.view.workers[1].weight = 7;
	assert_int_equal(publish_workers(&at, NULL), 0);
	seat(2, 1);
	assert_int_equal(publish_workers(&at, NULL), 0);
	at.view.workers[1].weight = 0;
	assert_int_equal(publish_workers(&at, NULL), 1);
	assert_int_equal(plan_in_use(&at.view)->width, 2);
	assert_true(plan_in_use(&at.view)->flags & PLAN_GUARDED);
	at.view.workers[1].weight = 1;
	assert_int_equal(publish_workers(&at, NULL), 1);
	assert_int_equal(plan_in_use(&at.view)->width, 0);
	assert_false(plan_in_use(&at.view)->flags & PLAN_GUARDED);
}

/* The table is as before, but what is known about the workers is not. */
static void a_guard_alone_is_published(void **state)
{
	struct plan_spec want = spec_of(POLICY_CPU, 0);

	(void)state;
	seat(0, 1);
	assert_int_equal(publish(&want), 1);
	seat(1, 0);
	assert_int_equal(publish(&want), 1);
	assert_true(plan_in_use(&at.view)->flags & PLAN_GUARDED);
	sockets[1] = 0;
	assert_int_equal(publish(&want), 1);
	assert_false(plan_in_use(&at.view)->flags & PLAN_GUARDED);
}

static void affinity_is_followed(void **state)
{
	struct plan_spec want = spec_of(POLICY_CPU, 0);

	(void)state;
	for (unsigned int slot = 0; slot < 2; slot++) {
		seat(slot, 1);
		affinity[slot] = (struct cpus){ .words = { 1 << slot } };
	}
	assert_int_equal(publish(&want), 1);
	assert_int_equal(publish_workers(&at, NULL), 0);
	affinity[0].words[0] = 1 << 1;
	assert_int_equal(publish_workers(&at, NULL), 1);
	/* On a node of its own a worker has all of its CPUs. */
	affinity[0].words[0] = 1 << 0;
	assert_int_equal(publish_workers(&at, NULL), 1);
	affinity[0].words[0] = 1 << 2;
	assert_int_equal(publish_workers(&at, NULL), 0);
}

/* The row of all workers is the only one that differs, and its width does not. */
static void the_last_row_counts(void **state)
{
	struct plan_spec want = spec_of(POLICY_CPU, 0);

	(void)state;
	for (unsigned int cpu = 0; cpu < CPUS; cpu++) {
		seat(cpu, 1);
		affinity[cpu] = (struct cpus){ .words = { 1 << cpu } };
	}
	seat(CPUS, 1);
	assert_int_equal(publish(&want), 1);
	sockets[CPUS] = 0;
	seat(CPUS + 1, 1);
	assert_int_equal(publish_workers(&at, NULL), 1);
	assert_int_equal(publish_workers(&at, NULL), 0);
}

static void waits_before_it_writes(void **state)
{
	struct plan_spec want = spec_of(POLICY_CONSISTENT, 0);

	(void)state;
	seat(0, 1);
	assert_int_equal(publish(&want), 1);
	assert_int_equal(syncs, 0); /* nothing was in use */
	publish_synchronize(&at, false);
	assert_int_equal(syncs, 1);
	publish_synchronize(&at, false);
	assert_int_equal(syncs, 1);
	publish_synchronize(&at, true);
	assert_int_equal(syncs, 2);
	seat(1, 1);
	assert_int_equal(publish(&want), 1);
	assert_int_equal(syncs, 2); /* that has been waited for */
	seat(2, 1);
	assert_int_equal(publish(&want), 1);
	assert_int_equal(syncs, 3);
}

static void a_failure_changes_nothing(void **state)
{
	static const struct reuseport_policy_opts words = { .sz = sizeof(words),
							    .policy = "cpu",
							    .cpu_map = "0-3:0" };
	struct plan_spec want = spec_of(POLICY_CONSISTENT, 0), other = spec_of(POLICY_RANDOM, 0);
	struct given_cpu cpu_map[CPUS];
	struct reuseport_error err;

	(void)state;
	seat(0, 1);
	seat(1, 1);
	assert_int_equal(publish(&want), 1);
	at.view.cpu_map[5] = (struct given_cpu){ 1, 1 };
	memcpy(cpu_map, at.view.cpu_map, sizeof(cpu_map));
	snapshot();
	compile_fails = true;
	assert_int_equal(publish_plan(&at, &other, &err), -ENOMEM);
	assert_int_equal(err.code, ENOMEM);
	assert_int_equal(at.view.control->epoch, 1);
	unchanged_half(1);
	assert_int_equal(apply_policy(&at, &words, NULL, &err), -ENOMEM);
	assert_memory_equal(at.view.cpu_map, cpu_map, sizeof(cpu_map));
	compile_fails = false;
	assert_int_equal(apply_policy(&at, &words, NULL, &err), 1);
	assert_memory_not_equal(at.view.cpu_map, cpu_map, sizeof(cpu_map));
}

/* ---------------------------------------------------------- the switch itself */

/* The plan and the half that come into use, at the moment at which they do. */
static uint16_t *half_at_switch;
static struct plan plan_at_switch;
static bool switched;

/* The epoch cannot be written: note what there is, and let it be written. */
static void on_fault(int number, siginfo_t *info, void *context)
{
	unsigned int next = (at.view.control->epoch + 1) % 2;
	long page = sysconf(_SC_PAGESIZE);

	(void)context;
	if (switched || info->si_addr != &at.view.control->epoch) {
		signal(number, SIG_DFL);
		return;
	}
	switched = true;
	memcpy(half_at_switch, at.view.table + next * words_of_half(),
	       words_of_half() * sizeof(uint16_t));
	plan_at_switch = at.view.control->plan[next];
	mprotect((char *)&at.view.control->plan - page, page, PROT_READ | PROT_WRITE);
}

/* Lay "control" over two pages, so that the epoch is in the first and the plans are in
 * the second. */
static int begin_split(void **state)
{
	size_t page = sysconf(_SC_PAGESIZE);
	char *pages = mmap(NULL, 2 * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1,
			   0);

	assert_true(pages != MAP_FAILED);
	begin(state);
	free(at.view.control);
	at.view.control = (void *)(pages + page - offsetof(struct control, plan));
	half_at_switch = calloc(words_of_half(), sizeof(uint16_t));
	return 0;
}

static int end_split(void **state)
{
	size_t page = sysconf(_SC_PAGESIZE);

	munmap((char *)&at.view.control->plan - page, 2 * page);
	at.view.control = NULL;
	free(half_at_switch);
	return end(state);
}

static void publish_and_note(const struct plan_spec *want)
{
	struct sigaction action = { .sa_sigaction = on_fault, .sa_flags = SA_SIGINFO }, before;
	size_t page = sysconf(_SC_PAGESIZE);

	publish_synchronize(&at, false);
	switched = false;
	sigaction(SIGSEGV, &action, &before);
	mprotect((char *)&at.view.control->plan - page, page, PROT_READ);
	assert_int_equal(publish(want), 1);
	sigaction(SIGSEGV, &before, NULL);
	assert_true(switched);
}

/* Nothing that comes into use is written after that. */
static void the_epoch_is_stored_last(void **state)
{
	(void)state;
	for (uint32_t i = 1; i < 40; i++) {
		struct plan_spec want = spec_of(i % (POLICY_LINUX39 + 1), 0);
		uint32_t half;

		want.generations.latest = i;
		for (unsigned int slot = 0; slot < SLOTS; slot++)
			seat(slot, (slot + i) % 5);
		publish_and_note(&want);
		half = at.view.control->epoch % 2;
		assert_memory_equal(at.view.table + half * words_of_half(), half_at_switch,
				    words_of_half() * sizeof(uint16_t));
		assert_memory_equal(&at.view.control->plan[half], &plan_at_switch,
				    sizeof(plan_at_switch));
	}
}

static int end_all(void **state)
{
	(void)state;
	free(table_before);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(as_the_reference, begin, end),
		cmocka_unit_test_setup_teardown(as_the_reference_with_flows, begin, end),
		cmocka_unit_test_setup_teardown(the_first_one_is_published, begin, end),
		cmocka_unit_test_setup_teardown(the_kernel_selects_until_a_worker_has_no_weight,
						begin, end),
		cmocka_unit_test_setup_teardown(a_guard_alone_is_published, begin, end),
		cmocka_unit_test_setup_teardown(affinity_is_followed, begin, end),
		cmocka_unit_test_setup_teardown(the_last_row_counts, begin, end),
		cmocka_unit_test_setup_teardown(waits_before_it_writes, begin, end),
		cmocka_unit_test_setup_teardown(a_failure_changes_nothing, begin, end),
		cmocka_unit_test_setup_teardown(the_epoch_is_stored_last, begin_split, end_split),
	};

	return cmocka_run_group_tests_name("publish", tests, NULL, end_all);
}
