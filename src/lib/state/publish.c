// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* Change: the plan and the table follow the policy and the workers. */
#include <errno.h>
#include <fcntl.h>
#include <linux/membarrier.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "clock.h"
#include "decide/chain.h"
#include "error.h"
#include "policy/table_compile.h"
#include "state/attachment.h"
#include "state/generation.h"
#include "state/pins.h"
#include "state/publish.h"
#include "state/sockarray.h"

#define LOCK_PAUSE_MS 1
#define GRACE_MS 20 /* where the kernel does not tell */

/* ----------------------------------------------------------------- the lock */

int change_lock_make(const char *pin, struct reuseport_error *err)
{
	char path[REUSEPORT_PATH_MAX + 32];

	if (!mkdir(pins_join(pin, PIN_CHANGING, path, sizeof(path)), 0700) || errno == EEXIST)
		return 0;
	return fail(err, errno, "cannot make %s: %s", path, strerror(errno));
}

int change_lock(const char *pin, const struct mapped *mapped, unsigned int wait_ms,
		struct reuseport_error *err)
{
	uint64_t until = clock_ns(CLOCK_MONOTONIC) + wait_ms * CLOCK_MS;
	char path[REUSEPORT_PATH_MAX + 32];
	int fd = open(pins_join(pin, PIN_CHANGING, path, sizeof(path)),
		      O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0)
		return fail(err, errno == ENOENT ? ESTALE : errno,
			    "cannot open %s: %s; attach "
			    "again",
			    path, strerror(errno));
	while (flock(fd, LOCK_EX | LOCK_NB)) {
		if (errno != EWOULDBLOCK || clock_ns(CLOCK_MONOTONIC) >= until) {
			close(fd);
			return fail(err, EBUSY, "another process is changing %s and does not end",
				    pin);
		}
		clock_sleep_ms(LOCK_PAUSE_MS);
	}
	mapped_fetch(mapped);
	return fd;
}

int change_lock_all(const struct attachment *list, size_t n, int **out, struct reuseport_error *err)
{
	int *locks = malloc(n * sizeof(*locks)), ret = 0;

	if (!locks)
		return fail(err, ENOMEM, "out of memory");
	memset(locks, -1, n * sizeof(*locks));
	for (size_t i = 0; ret >= 0 && i < n; i++)
		ret = locks[i] = change_lock(list[i].pin, &list[i].mapped, CHANGE_WAIT_MS, err);
	if (ret < 0) {
		change_unlock_all(locks, n);
		return ret;
	}
	*out = locks;
	return 0;
}

void change_unlock_all(int *locks, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (locks[i] >= 0)
			close(locks[i]);
	free(locks);
}

void change_tell(const char *pin)
{
	char path[REUSEPORT_PATH_MAX + 32];

	/* The keeper watches the directory; the name says nothing. */
	if (!mkdir(pins_join(pin, "changed", path, sizeof(path)), 0700))
		rmdir(path);
}

/* ------------------------------------------------------------------- reading */

const struct plan *change_plan(const struct mapped *mapped)
{
	return &mapped->control->plan[mapped->control->epoch & 1];
}

struct change change_present(const struct mapped *mapped)
{
	return (struct change){ .plan = *change_plan(mapped), .generations = *generations(mapped) };
}

/* The workers as the table is to have them. */
struct workers {
	uint32_t *weights, *before; /* by slot */
	struct cpus *cpus;          /* by slot, or NULL */
	bool guarded;               /* one must get nothing, or may come that must not */
	bool restricted;            /* the kernel's own group will not do */
};

static void read_cpus(const struct mapped *mapped, const struct plan *plan, unsigned int slot,
		      struct cpus *cpus)
{
	if (!(plan->flags & PLAN_GIVEN_CPUS)) {
		/* Who is gone is about to leave its slot too. */
		cpus_of_process(mapped->workers[slot].pid, cpus);
		return;
	}
	for (unsigned int cpu = 0; cpu < mapped->size.cpus; cpu++)
		if (mapped->cpu_map[cpu].given && mapped->cpu_map[cpu].slot == slot)
			cpus_add(cpus, cpu);
}

static void read_workers(const struct mapped *mapped, int sockets, const struct change *want,
			 struct workers *workers)
{
	const struct plan *plan = &want->plan;

	workers->guarded = (plan->flags & PLAN_ADMIT_MANUAL) ||
			   generation_in_rollout(&want->generations);
	for (unsigned int slot = 0; slot < mapped->size.slots; slot++) {
		const struct worker_entry *entry = &mapped->workers[slot];

		workers->before[slot] = half_weights(mapped, mapped->control->epoch)[slot];
		if (entry->state == WORKER_FREE || !sockarray_holds(sockets, slot, entry->cookie))
			continue;
		if (generation_state(&want->generations, entry) == WORKER_ACTIVE)
			workers->weights[slot] = entry->weight;
		workers->guarded |= !workers->weights[slot];
		if (workers->cpus && workers->weights[slot])
			read_cpus(mapped, plan, slot, &workers->cpus[slot]);
	}
	/* To make a flow sticky its worker has to be known. */
	workers->restricted = workers->guarded || mapped->size.flows;
}

static void free_workers(struct workers *workers)
{
	free(workers->weights);
	free(workers->before);
	free(workers->cpus);
}

static int make_workers(const struct mapped *mapped, const struct plan *plan,
			struct workers *workers)
{
	unsigned int slots = mapped->size.slots;

	*workers = (struct workers){ .weights = calloc(slots, sizeof(uint32_t)),
				     .before = calloc(slots, sizeof(uint32_t)) };
	if (chain_by_place(plan->policy))
		workers->cpus = calloc(slots, sizeof(struct cpus));
	if (workers->weights && workers->before && (workers->cpus || !chain_by_place(plan->policy)))
		return 0;
	free_workers(workers);
	return -ENOMEM;
}

/* --------------------------------------------------------------- publishing */

void change_settle(const struct mapped *mapped, bool anew)
{
	uint32_t epoch = mapped->control->epoch;

	if (!anew && mapped->control->settled == epoch)
		return;
	/* Which is synchronize_rcu(): programs run within RCU's read side. Not
	 * on kernels with nohz_full. */
	if (syscall(SYS_membarrier, MEMBARRIER_CMD_GLOBAL, 0, 0))
		clock_sleep_ms(GRACE_MS);
	mapped->control->settled = epoch;
	mapped_store(mapped);
}

/* What somebody asked for; the rest follows from the workers. */
static unsigned int words_of(const struct plan *plan)
{
	return plan->flags & ~PLAN_GUARDED;
}

static bool same_rules(const struct plan *a, const struct plan *b)
{
	return a->policy == b->policy && a->key == b->key && a->prefix4 == b->prefix4 &&
	       a->prefix6 == b->prefix6 && words_of(a) == words_of(b) &&
	       !memcmp(a->hash_key, b->hash_key, sizeof(a->hash_key));
}

/* Whether a table compiled for one would serve the other. */
static bool same_table(const struct plan *a, const struct plan *b)
{
	unsigned int differ = words_of(a) ^ words_of(b);

	return a->policy == b->policy && !(differ & ~PLAN_ADMIT_MANUAL);
}

/* By place, more than the weights goes into the table. */
static bool is_in_use(const struct mapped *mapped, const struct change *want,
		      const struct workers *workers)
{
	const struct plan *plan = change_plan(mapped);

	if (!mapped->control->epoch || !same_rules(plan, &want->plan) ||
	    memcmp(generations(mapped), &want->generations, sizeof(want->generations)))
		return false;
	if (table_compile_by_group(&want->plan, workers->restricted))
		return !plan->width;
	return plan->width && !chain_by_place(plan->policy) &&
	       !(plan->flags & PLAN_GUARDED) == !workers->guarded &&
	       !memcmp(workers->before, workers->weights,
		       mapped->size.slots * sizeof(*workers->weights));
}

static int compile(const struct mapped *mapped, const struct plan *want,
		   const struct workers *workers, uint32_t *width)
{
	uint32_t epoch = mapped->control->epoch;
	struct table_spec c = {
		.plan = *want,
		.room = mapped->size.table_entries,
		.slots = mapped->size.slots,
		.weights = workers->weights,
		.restricted = workers->restricted,
		.cpu_count = mapped->size.cpus,
		.node_count = topology_nodes(),
		.cpus = workers->cpus,
	};

	if (epoch && same_table(change_plan(mapped), want)) {
		c.before = half_entries(mapped, epoch);
		c.before_weights = workers->before;
	}
	return table_compile(&c, half_entries(mapped, epoch + 1), width);
}

/* Of a policy by place: the table may come out as it was. */
static bool came_out_same(const struct mapped *mapped, const struct change *want,
			  const struct workers *workers, uint32_t width)
{
	uint32_t epoch = mapped->control->epoch;
	const struct plan *plan = change_plan(mapped);
	uint32_t rows = table_compile_rows(plan, mapped->size.cpus, topology_nodes());

	return epoch && chain_by_place(plan->policy) && same_rules(plan, &want->plan) &&
	       plan->width == width && !(plan->flags & PLAN_GUARDED) == !workers->guarded &&
	       !memcmp(generations(mapped), &want->generations, sizeof(want->generations)) &&
	       !memcmp(half_entries(mapped, epoch), half_entries(mapped, epoch + 1),
		       (rows + 1) * width * sizeof(uint16_t));
}

static void publish(const struct mapped *mapped, const struct change *want,
		    const struct workers *workers, uint32_t width)
{
	struct control *control = mapped->control;
	uint32_t next = control->epoch + 1;

	for (unsigned int slot = 0; slot < mapped->size.slots; slot++)
		half_weights(mapped, next)[slot] = workers->weights[slot];
	*half_generations(mapped, next) = want->generations;
	control->plan[next & 1] = want->plan;
	control->plan[next & 1].width = width;
	control->plan[next & 1].flags = words_of(&want->plan) |
					(workers->guarded ? PLAN_GUARDED : 0);
	__atomic_store_n(&control->epoch, next, __ATOMIC_RELEASE);
}

int change_publish(const struct mapped *mapped, int sockets, const struct change *want,
		   struct reuseport_error *err)
{
	struct workers workers;
	uint32_t width;
	int ret = make_workers(mapped, &want->plan, &workers);

	if (ret)
		return fail(err, -ret, "out of memory");
	read_workers(mapped, sockets, want, &workers);
	if (!is_in_use(mapped, want, &workers)) {
		/* The half that is written now was in use before the last change. */
		change_settle(mapped, false);
		ret = compile(mapped, &want->plan, &workers, &width);
		if (ret)
			fail(err, -ret, "cannot compile the table: %s", strerror(-ret));
		else if (!came_out_same(mapped, want, &workers, width)) {
			publish(mapped, want, &workers, width);
			ret = 1;
		}
	}
	free_workers(&workers);
	mapped_store(mapped);
	return ret;
}

int change_follow(const struct mapped *mapped, int sockets, struct reuseport_error *err)
{
	struct change present = change_present(mapped);

	return change_publish(mapped, sockets, &present, err);
}
