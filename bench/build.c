// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/*
 * How long table_compile() takes: a table from scratch, and one worker's change.
 * Prints JSON.
 *   build TIMES
 */
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ours.h"
#include "policy/table_compile.h"
#include "stats.h"

#define CPUS 64 /* of the host that policy "cpu" is compiled for */
#define MAX_TIMES 99

static const unsigned int sizes[] = { 4, 64, 256, 1024, 4096 };

/* A worker of the middle leaves, joins, or gains or loses weight. */
enum change { FULL, LEAVE, JOIN, HEAVIER, LIGHTER };

static const struct job {
	const char *name;
	struct plan plan;
	bool equal; /* weights; else 1 to 1000 */
	enum change change;
} jobs[] = {
	{ "consistent, equal weights", { .policy = POLICY_CONSISTENT }, true, FULL },
	{ "consistent", { .policy = POLICY_CONSISTENT }, false, FULL },
	{ "weighted", { .policy = POLICY_WEIGHTED }, false, FULL },
	{ "weighted over consistent",
	  { .policy = POLICY_WEIGHTED, .flags = PLAN_OVER_CONSISTENT },
	  false,
	  FULL },
	{ "round-robin", { .policy = POLICY_ROUND_ROBIN }, false, FULL },
	{ "cpu, of 64 CPUs", { .policy = POLICY_CPU }, true, FULL },
	{ "consistent, equal weights: leave", { .policy = POLICY_CONSISTENT }, true, LEAVE },
	{ "consistent, equal weights: join", { .policy = POLICY_CONSISTENT }, true, JOIN },
	{ "consistent: leave", { .policy = POLICY_CONSISTENT }, false, LEAVE },
	{ "consistent: join", { .policy = POLICY_CONSISTENT }, false, JOIN },
	{ "consistent: weight 500 to 1000", { .policy = POLICY_CONSISTENT }, false, HEAVIER },
	{ "consistent: weight 1000 to 500", { .policy = POLICY_CONSISTENT }, false, LIGHTER },
};

#define JOBS (sizeof(jobs) / sizeof(*jobs))

struct bench {
	struct steering_size size;
	unsigned int workers;
	uint32_t *weights, *before; /* by slot */
	struct cpus *cpus;
	uint16_t *table, *scratch, *table_before;
};

/* The weights before and after; without a change both are the same. */
static void set_weights(struct bench *bench, const struct job *job)
{
	static const uint32_t at_change[][2] = {
		[LEAVE] = { 500, 0 },
		[JOIN] = { 0, 500 },
		[HEAVIER] = { 500, 1000 },
		[LIGHTER] = { 1000, 500 },
	};
	unsigned int middle = bench->workers / 2;

	for (unsigned int slot = 0; slot < bench->workers; slot++)
		bench->weights[slot] = job->equal ? 500 : 1 + slot * 7919 % 1000;
	memcpy(bench->before, bench->weights, bench->size.slots * sizeof(uint32_t));
	if (job->change == FULL)
		return;
	bench->before[middle] = at_change[job->change][0];
	bench->weights[middle] = at_change[job->change][1];
}

static struct table_spec request(const struct bench *bench, const struct job *job,
				 const uint32_t *weights)
{
	return (struct table_spec){ .plan = job->plan,
				    .room = bench->size.table_entries,
				    .slots = bench->size.slots,
				    .weights = weights,
				    .cpu_count = CPUS,
				    .node_count = 1,
				    .cpus = bench->cpus };
}

static int build(const struct bench *bench, const struct job *job, const uint32_t *weights,
		 uint16_t *table)
{
	struct table_spec c = request(bench, job, weights);
	uint32_t width;

	return table_compile(&c, table, &width);
}

/* Milliseconds of CPU time, or -errno. */
static double take_once(const struct bench *bench, const struct job *job)
{
	struct table_spec c = request(bench, job, bench->weights);
	uint32_t width;
	uint64_t since;
	int err;

	if (job->change != FULL) {
		c.before = bench->table_before;
		c.before_weights = bench->before;
	}
	since = now_ns(CLOCK_PROCESS_CPUTIME_ID);
	err = table_compile(&c, bench->table, &width);
	return err ? err : (double)(now_ns(CLOCK_PROCESS_CPUTIME_ID) - since) / 1e6;
}

static bool same_as_from_scratch(const struct bench *bench, const struct job *job)
{
	return !build(bench, job, bench->weights, bench->scratch) &&
	       !memcmp(bench->table, bench->scratch, bench->size.table_entries * sizeof(uint16_t));
}

static json_t *take(struct bench *bench, const struct job *job, size_t times)
{
	double ms[MAX_TIMES];

	set_weights(bench, job);
	if (job->change != FULL && build(bench, job, bench->before, bench->table_before))
		return NULL;
	for (size_t i = 0; i < times; i++)
		if ((ms[i] = take_once(bench, job)) < 0)
			return NULL;
	if (job->change != FULL && !same_as_from_scratch(bench, job)) {
		fprintf(stderr, "bench: %s: another table than from scratch\n", job->name);
		return NULL;
	}
	return json_pack("{s:s, s:b, s:i, s:i, s:o}", "table", job->name, "change",
			 job->change != FULL, "workers", (int)bench->workers, "entries",
			 (int)bench->size.table_entries, "ms", spread_json(ms, times));
}

static void close_bench(struct bench *bench)
{
	free(bench->weights);
	free(bench->before);
	free(bench->cpus);
	free(bench->table);
	free(bench->scratch);
	free(bench->table_before);
}

static bool open_bench(struct bench *bench, unsigned int workers)
{
	struct steering_size size = ours__size(workers);

	*bench = (struct bench){
		.size = size,
		.workers = workers,
		.weights = calloc(size.slots, sizeof(uint32_t)),
		.before = calloc(size.slots, sizeof(uint32_t)),
		.cpus = calloc(size.slots, sizeof(struct cpus)),
		.table = calloc(size.table_entries, sizeof(uint16_t)),
		.scratch = calloc(size.table_entries, sizeof(uint16_t)),
		.table_before = calloc(size.table_entries, sizeof(uint16_t)),
	};
	if (!bench->weights || !bench->before || !bench->cpus || !bench->table || !bench->scratch ||
	    !bench->table_before)
		return false;
	for (unsigned int slot = 0; slot < workers; slot++)
		cpus_add(&bench->cpus[slot], slot % CPUS);
	return true;
}

static bool take_all(unsigned int workers, size_t times, json_t *rows)
{
	struct bench bench;
	bool ok = open_bench(&bench, workers);

	for (size_t i = 0; i < JOBS && ok; i++) {
		json_t *row = take(&bench, &jobs[i], times);

		ok = row && !json_array_append_new(rows, row);
	}
	close_bench(&bench);
	return ok;
}

int main(int argc, char **argv)
{
	size_t times = argc == 2 ? strtoul(argv[1], NULL, 10) : 0;
	json_t *rows = json_array();

	if (times < 1 || times > MAX_TIMES) {
		fprintf(stderr, "usage: build TIMES (1 to %d)\n", MAX_TIMES);
		return 2;
	}
	for (size_t i = 0; i < sizeof(sizes) / sizeof(*sizes); i++)
		if (!take_all(sizes[i], times, rows)) {
			fprintf(stderr, "bench: building for %u workers failed\n", sizes[i]);
			return 1;
		}
	return print_json(json_pack("{s:i, s:o}", "times", (int)times, "rows", rows)) ? 1 : 0;
}
