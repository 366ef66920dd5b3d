// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/*
 * End to end over loopback: the kernel's own selection against ours. Prints
 * JSON.
 *   endtoend tcp|udp|flood ROUNDS
 *
 * The traffic runs on without a break while programs are put on and taken off
 * every few milliseconds, in changing order, so that all see the same machine.
 * Each arm's work per slice is set against the kernel's in the neighbouring
 * slice; a round's figure is the median of these ratios, which a disturbed
 * slice does not move. One arm is the kernel once more: what it differs from
 * the first is what the method cannot tell from nothing.
 */
#include <errno.h>
#include <netinet/in.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>

#include "net.h"
#include "programs.h"
#include "stats.h"
#include "traffic.h"

#define SLICE_NS 5000000
#define SLICES 120 /* of each arm in a round: 0.6 s */
#define MAX_ROUNDS 99

static const struct arm {
	const char *name;
	size_t contender;
	bool off; /* no program: taken off again before the slice */
	bool ours;
} arms[] = {
	{ .name = "kernel", .contender = CONTENDER_OURS, .off = true },
	{ .name = "kernel again", .contender = CONTENDER_OURS, .off = true },
	{ .name = "empty", .contender = CONTENDER_EMPTY },
	{ .name = "bare select", .contender = CONTENDER_BARE },
	{ .name = "hash", .contender = CONTENDER_OURS, .ours = true },
};

#define ARMS (sizeof(arms) / sizeof(*arms))

/* Done per second; by the clock, and by the CPU time that it took. */
struct rate {
	double wall;
	double cpu;
};

/* What a round found out about an arm. */
struct finding {
	struct rate rate;
	struct rate ratio; /* to the kernel's */
};

struct bench {
	struct programs programs;
	struct traffic *traffic;
	int members[WORKERS];
};

static struct rate run_slice(const struct traffic *traffic)
{
	const struct timespec slice = { .tv_nsec = SLICE_NS };
	unsigned long done = traffic__served(traffic);
	uint64_t wall = now_ns(CLOCK_MONOTONIC), cpu = now_ns(CLOCK_PROCESS_CPUTIME_ID);

	nanosleep(&slice, NULL);
	done = traffic__served(traffic) - done;
	wall = now_ns(CLOCK_MONOTONIC) - wall;
	cpu = now_ns(CLOCK_PROCESS_CPUTIME_ID) - cpu;
	return (struct rate){ (double)done * 1e9 / (double)wall, (double)done * 1e9 / (double)cpu };
}

static int take_slice(struct bench *bench, const struct arm *arm, struct rate *rate)
{
	int err = programs__put(&bench->programs, arm->contender);

	if (!err && arm->off)
		err = programs__take_off(&bench->programs);
	if (err)
		return err;
	*rate = run_slice(bench->traffic);
	return arm->off ? 0 : programs__take_off(&bench->programs);
}

/* All arms once, beginning with another each time and in both directions. */
static int take_slices(struct bench *bench, size_t turn, struct rate *rates)
{
	for (size_t i = 0; i < ARMS; i++) {
		size_t at = (turn + (turn / ARMS % 2 ? ARMS - i : i)) % ARMS;
		int err = take_slice(bench, &arms[at], &rates[at]);

		if (err)
			return err;
	}
	return 0;
}

/* Of one arm; slices in which the kernel got no CPU at all are passed over. */
static int find(struct rate (*rates)[ARMS], size_t arm, struct finding *finding)
{
	double samples[4][SLICES];
	size_t n = 0;

	for (size_t i = 0; i < SLICES; i++) {
		const struct rate *rate = &rates[i][arm], *kernel = &rates[i][0];

		if (!(kernel->wall > 0))
			continue;
		samples[0][n] = rate->wall;
		samples[1][n] = rate->cpu;
		samples[2][n] = rate->wall / kernel->wall;
		samples[3][n] = rate->cpu / kernel->cpu;
		n++;
	}
	if (n < SLICES / 2)
		return -ENODATA;
	*finding = (struct finding){
		.rate = { median(samples[0], n), median(samples[1], n) },
		.ratio = { median(samples[2], n), median(samples[3], n) },
	};
	return 0;
}

static int take_round(struct bench *bench, struct finding *findings)
{
	static struct rate rates[SLICES][ARMS];
	int err = 0;

	for (size_t i = 0; i < SLICES && !err; i++)
		err = take_slices(bench, i, rates[i]);
	for (size_t arm = 0; arm < ARMS && !err; arm++)
		err = find(rates, arm, &findings[arm]);
	return err;
}

static json_t *row_json(size_t arm, size_t rounds, struct finding (*findings)[ARMS])
{
	double rate[MAX_ROUNDS], rate_cpu[MAX_ROUNDS], ratio[MAX_ROUNDS], ratio_cpu[MAX_ROUNDS];

	for (size_t i = 0; i < rounds; i++) {
		rate[i] = findings[i][arm].rate.wall;
		rate_cpu[i] = findings[i][arm].rate.cpu;
		ratio[i] = findings[i][arm].ratio.wall;
		ratio_cpu[i] = findings[i][arm].ratio.cpu;
	}
	return json_pack("{s:s, s:b, s:o, s:o, s:o, s:o}", "arm", arms[arm].name, "ours",
			 arms[arm].ours, "per_second", spread_json(rate, rounds), "per_cpu_second",
			 spread_json(rate_cpu, rounds), "ratio", spread_json(ratio, rounds),
			 "ratio_cpu", spread_json(ratio_cpu, rounds));
}

static json_t *measure(struct bench *bench, size_t rounds)
{
	const struct traffic *traffic = bench->traffic;
	struct finding findings[MAX_ROUNDS][ARMS];
	json_t *rows;
	int err = 0;

	for (size_t i = 0; i < rounds && !err; i++)
		err = take_round(bench, findings[i]);
	if (err) {
		fprintf(stderr, "bench: %s: %s\n", traffic->what, strerror(-err));
		return NULL;
	}
	rows = json_array();
	for (size_t i = 0; i < ARMS; i++)
		json_array_append_new(rows, row_json(i, rounds, findings));
	return json_pack("{s:s, s:s, s:s, s:i, s:i, s:f, s:o}", "traffic", traffic->name, "what",
			 traffic->what, "unit", traffic->unit, "rounds", (int)rounds, "workers",
			 WORKERS, "seconds_per_arm_and_round", SLICES * (SLICE_NS / 1e9), "rows",
			 rows);
}

/*
 * Ahead of other jobs, so that they take part in as few slices as may be. On
 * one CPU all that a packet costs is paid by that CPU, so none of it hides
 * in another's idle time. SCHED_BATCH: a worker that wakes up does not push
 * aside the client that woke it, or each datagram would cost two switches.
 */
static int settle(void)
{
	const struct sched_param none = { 0 };

	if (setpriority(PRIO_PROCESS, 0, -10) || sched_setscheduler(0, SCHED_BATCH, &none))
		perror("bench: priority");
	return net__pin_to_one_cpu();
}

int main(int argc, char **argv)
{
	size_t rounds = argc == 3 ? strtoul(argv[2], NULL, 10) : 0;
	struct bench bench = { .traffic = argc == 3 ? traffic__find(argv[1]) : NULL };
	const struct sched_param none = { 0 };
	json_t *result;

	if (!bench.traffic || rounds < 1 || rounds > MAX_ROUNDS) {
		fprintf(stderr, "usage: endtoend tcp|udp|flood ROUNDS (1 to %d)\n", MAX_ROUNDS);
		return 2;
	}
	if (net__enter_own() || settle() || traffic__start(bench.traffic))
		return 1;
	/* The threads have inherited it; the one that measures must wake up at once. */
	sched_setscheduler(0, SCHED_OTHER, &none);
	for (size_t i = 0; i < WORKERS; i++)
		bench.members[i] = bench.traffic->workers[i].fd;
	if (programs__load(&bench.programs, &hash_only,
			   bench.traffic->type == SOCK_STREAM ? IPPROTO_TCP : IPPROTO_UDP,
			   bench.members, WORKERS))
		return 1;
	result = measure(&bench, rounds);
	return !result || print_json(result) ? 1 : 0;
}
