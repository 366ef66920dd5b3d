// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* Publish: compile a plan and its table, and switch to them. */
#include <errno.h>
#include <linux/membarrier.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "clock.h"
#include "decide/chain.h"
#include "error.h"
#include "policy/table_compile.h"
#include "state/ages.h"
#include "state/generation.h"
#include "state/publish.h"
#include "state/slot_sockets.h"
#include "state/worker_cpus.h"

#define GRACE_MS 20 /* where the kernel has no membarrier() */

struct plan_spec plan_spec_in_use(const struct attachment *at)
{
	return (struct plan_spec){ .plan = *plan_in_use(&at->view),
				   .generations = *generations_in_use(&at->view) };
}

/* --------------------------------------------------------------- the workers */

/* The workers as the table should have them. */
struct plan_workers {
	uint32_t *weights, *before;  /* by slot; before: of the table in use */
	struct cpus *cpus;           /* by slot, or NULL */
	struct slot_socket *sockets; /* likewise */
	bool guarded;                /* a worker must get nothing, or one may join that must not */
	bool restricted;             /* the kernel's own selection will not do */
};

static void plan_workers_free(struct plan_workers *workers)
{
	free(workers->weights);
	free(workers->before);
	free(workers->cpus);
	free(workers->sockets);
}

static int plan_workers_new(unsigned int slots, const struct plan *plan,
			    struct plan_workers *workers)
{
	*workers = (struct plan_workers){ .weights = calloc(slots, sizeof(uint32_t)),
					  .before = calloc(slots, sizeof(uint32_t)) };
	if (chain_by_place(plan->policy)) {
		workers->cpus = calloc(slots, sizeof(struct cpus));
		workers->sockets = calloc(slots, sizeof(struct slot_socket));
	}
	for (unsigned int slot = 0; workers->sockets && slot < slots; slot++)
		workers->sockets[slot].cpu = -1;
	if (workers->weights && workers->before &&
	    ((workers->cpus && workers->sockets) || !chain_by_place(plan->policy)))
		return 0;
	plan_workers_free(workers);
	return -ENOMEM;
}

static void read_worker_cpus(const struct map_view *view, const struct plan *plan,
			     unsigned int slot, const struct slot_socket *socket, struct cpus *cpus)
{
	if (!(plan->flags & PLAN_GIVEN_CPUS)) {
		/* A worker whose process has ended is about to leave its slot too. */
		worker_cpus_find(view->workers[slot].pid, socket->cpu, view->size.cpus, cpus);
		return;
	}
	for (unsigned int cpu = 0; cpu < view->size.cpus; cpu++)
		if (view->cpu_map[cpu].given && view->cpu_map[cpu].slot == slot)
			cpus_add(cpus, cpu);
}

static void plan_workers_read(const struct attachment *at, const struct plan_spec *want,
			      struct plan_workers *workers)
{
	const struct map_view *view = &at->view;

	workers->guarded = (want->plan.flags & PLAN_ADMIT_MANUAL) ||
			   generation_in_rollout(&want->generations);
	if (workers->sockets && !(want->plan.flags & PLAN_GIVEN_CPUS))
		slot_sockets_read(at->steering.maps[MAP_SOCKETS], workers->sockets,
				  attachment_slots_used(at));
	for (unsigned int slot = 0; slot < view->size.slots; slot++) {
		const struct worker_entry *entry = &view->workers[slot];

		workers->before[slot] = half_weights(view, view->control->epoch)[slot];
		if (!attachment_has_worker(at, slot))
			continue;
		if (generation_state(&want->generations, entry) == WORKER_ACTIVE)
			workers->weights[slot] = entry->weight;
		workers->guarded |= !workers->weights[slot];
		if (workers->cpus && workers->weights[slot])
			read_worker_cpus(view, &want->plan, slot, &workers->sockets[slot],
					 &workers->cpus[slot]);
	}
	/* Sticky flows need the program to know the worker. */
	workers->restricted = workers->guarded || view->size.flows;
}

/* ---------------------------------------------------------------- comparing */

/* Return the flags that were asked for; PLAN_GUARDED follows from the workers. */
static unsigned int flags_asked(const struct plan *plan)
{
	return plan->flags & ~PLAN_GUARDED;
}

static bool same_policy(const struct plan *a, const struct plan *b)
{
	return a->policy == b->policy && a->key == b->key && a->prefix4 == b->prefix4 &&
	       a->prefix6 == b->prefix6 && flags_asked(a) == flags_asked(b) &&
	       !memcmp(a->hash_key, b->hash_key, sizeof(a->hash_key));
}

/* Return whether policy and generations are in use already. */
static bool same_spec(const struct map_view *view, const struct plan_spec *want)
{
	return view->control->epoch && same_policy(plan_in_use(view), &want->plan) &&
	       !memcmp(generations_in_use(view), &want->generations, sizeof(want->generations));
}

static bool same_guard(const struct plan *plan, const struct plan_workers *workers)
{
	return !(plan->flags & PLAN_GUARDED) == !workers->guarded;
}

/*
 * Return whether all is in use already. A table by CPU or node holds more than the
 * weights, so only compiling it can tell: see compiled_same().
 */
static bool is_in_use(const struct map_view *view, const struct plan_spec *want,
		      const struct plan_workers *workers)
{
	const struct plan *plan = plan_in_use(view);

	if (!same_spec(view, want))
		return false;
	if (table_compile_by_group(&want->plan, workers->restricted))
		return !plan->width;
	return plan->width && !chain_by_place(plan->policy) && same_guard(plan, workers) &&
	       !memcmp(workers->before, workers->weights,
		       view->size.slots * sizeof(*workers->weights));
}

/* Return whether a table by CPU or node has been compiled to what is in use. */
static bool compiled_same(const struct map_view *view, const struct plan_spec *want,
			  const struct plan_workers *workers, uint32_t width)
{
	uint32_t epoch = view->control->epoch;
	const struct plan *plan = plan_in_use(view);
	uint32_t rows = table_compile_rows(plan, view->size.cpus, topology_nodes());

	return chain_by_place(plan->policy) && same_spec(view, want) && plan->width == width &&
	       same_guard(plan, workers) &&
	       !memcmp(half_entries(view, epoch), half_entries(view, epoch + 1),
		       (rows + 1) * width * sizeof(uint16_t));
}

/* --------------------------------------------------------------- publishing */

/* Compile into the half that is not in use. */
static int compile_next_half(const struct map_view *view, const struct plan *want,
			     const struct plan_workers *workers, uint32_t *width)
{
	uint32_t epoch = view->control->epoch;
	struct table_spec c = {
		.plan = *want,
		.room = view->size.table_entries,
		.slots = view->size.slots,
		.weights = workers->weights,
		.restricted = workers->restricted,
		.cpu_count = view->size.cpus,
		.node_count = topology_nodes(),
		.cpus = workers->cpus,
	};

	if (epoch && plan_in_use(view)->policy == want->policy) {
		c.before = half_entries(view, epoch);
		c.before_weights = workers->before;
	}
	return table_compile(&c, half_entries(view, epoch + 1), width);
}

/* Complete the half that is not in use, then switch to it. */
static void switch_halves(const struct map_view *view, const struct plan_spec *want,
			  const struct plan_workers *workers, uint32_t width)
{
	struct control *control = view->control;
	uint32_t next = control->epoch + 1;

	for (unsigned int slot = 0; slot < view->size.slots; slot++)
		half_weights(view, next)[slot] = workers->weights[slot];
	*half_generations(view, next) = want->generations;
	control->plan[next & 1] = want->plan;
	control->plan[next & 1].width = width;
	control->plan[next & 1].flags = flags_asked(&want->plan) |
					(workers->guarded ? PLAN_GUARDED : 0);
	__atomic_store_n(&control->epoch, next, __ATOMIC_RELEASE);
}

int publish_plan(const struct attachment *at, const struct plan_spec *want,
		 struct reuseport_error *err)
{
	const struct map_view *view = &at->view;
	struct plan_workers workers;
	uint32_t width;
	int ret = plan_workers_new(view->size.slots, &want->plan, &workers);

	if (ret)
		return fail(err, -ret, "out of memory");
	plan_workers_read(at, want, &workers);
	if (!is_in_use(view, want, &workers)) {
		/* The half that is written now was in use before the last switch. */
		publish_synchronize(at, false);
		ret = compile_next_half(view, &want->plan, &workers, &width);
		if (ret)
			fail(err, -ret, "cannot compile the table: %s", strerror(-ret));
		else if (!compiled_same(view, want, &workers, width)) {
			switch_halves(view, want, &workers, width);
			ret = 1;
		}
	}
	plan_workers_free(&workers);
	map_view_store(view);
	return ret;
}

int publish_workers(const struct attachment *at, struct reuseport_error *err)
{
	struct plan_spec present = plan_spec_in_use(at);

	return publish_plan(at, &present, err);
}

void publish_synchronize(const struct attachment *at, bool force)
{
	__u64 *settled = &ages_of_group(&at->view, AGE_SETTLED)->since_ns;
	uint32_t epoch = at->view.control->epoch;

	if (!force && *settled == epoch)
		return;
	/* Which is synchronize_rcu(): programs run within RCU's read side. Not
	 * on kernels with nohz_full. */
	if (syscall(SYS_membarrier, MEMBARRIER_CMD_GLOBAL, 0, 0))
		clock_sleep_ms(GRACE_MS);
	*settled = epoch;
	map_view_store(&at->view);
}
