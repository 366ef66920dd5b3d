// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/*
 * Run time per packet, from the kernel's own statistics (run_time_ns and
 * run_cnt of struct bpf_prog_info): an empty program, a bare select and ours by
 * every policy, or ours with tables of several sizes, or with sticky flows, or by
 * both ways to read the kernel, taking turns. Prints JSON.
 *   runtime udp|tcp|flows|known|new|reads MEMBERS ROUNDS SLICES
 */
#include <bpf/bpf.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "net.h"
#include "packets.h"
#include "programs.h"
#include "stats.h"

#define MAX_ROUNDS 99
#define MAX_SLICES 99
#define SETTLE_MS 500

struct bench {
	struct packets *packets;
	struct programs programs;
	size_t contenders;
	size_t rounds;
	size_t slices; /* of a round, in each of which every program has a turn */
};

struct run {
	double ns;
	double count;
};

static int read_run(int program, struct run *run)
{
	struct bpf_prog_info info = { 0 };
	__u32 size = sizeof(info);

	if (bpf_obj_get_info_by_fd(program, &info, &size))
		return -errno;
	run->ns = (double)info.run_time_ns;
	run->count = (double)info.run_cnt;
	return 0;
}

/* Of n runs since "before". A CPU that is busy leaves packets to ksoftirqd, which comes
 * a little later, and drops what its backlog has no room for. */
static int read_runs(int program, const struct run *before, unsigned int n, struct run *after)
{
	int err = read_run(program, after);

	for (int i = 0; !err && after->count - before->count < n && i < SETTLE_MS; i++) {
		usleep(1000);
		err = read_run(program, after);
	}
	if (!err && after->count - before->count < n / 2)
		return -ENODATA;
	return err;
}

/* One contender's turn; adds what it took to "sum". */
static int take_turn(struct bench *bench, size_t contender, struct run *sum)
{
	int program = programs__fd(&bench->programs, contender), err;
	unsigned int slice = bench->packets->slice;
	struct run before, after;

	err = programs__put(&bench->programs, contender);
	if (!err)
		err = packets__send(bench->packets, slice / 10); /* after the switch: not counted */
	if (!err)
		err = read_run(program, &before);
	if (!err)
		err = packets__send(bench->packets, slice);
	if (!err)
		err = read_runs(program, &before, slice, &after);
	if (err)
		return err;
	sum->ns += after.ns - before.ns;
	sum->count += after.count - before.count;
	return 0;
}

/* Every contender in turn, each slice beginning with another; ns per packet. */
static int take_round(struct bench *bench, double *ns)
{
	struct run sums[MAX_CONTENDERS] = { 0 };

	for (size_t slice = 0; slice < bench->slices; slice++)
		for (size_t i = 0; i < bench->contenders; i++) {
			size_t contender = (slice + i) % bench->contenders;
			int err = take_turn(bench, contender, &sums[contender]);

			if (err)
				return err;
		}
	for (size_t i = 0; i < bench->contenders; i++)
		ns[i] = sums[i].ns / sums[i].count;
	return 0;
}

static json_t *row_json(const struct bench *bench, size_t index, double (*ns)[MAX_CONTENDERS])
{
	const struct contender *contender = &bench->programs.contenders->list[index];
	double own[MAX_ROUNDS], ratio[MAX_ROUNDS], added[MAX_ROUNDS];

	for (size_t i = 0; i < bench->rounds; i++) {
		own[i] = ns[i][index];
		ratio[i] = own[i] / ns[i][CONTENDER_BARE];
		added[i] = own[i] - ns[i][CONTENDER_BARE];
	}
	return json_pack("{s:s, s:s, s:b, s:o, s:o, s:o}", "program", contender->name, "what",
			 contender->what, "ours", contender->words.policy != NULL, "ns",
			 spread_json(own, bench->rounds), "ratio",
			 spread_json(ratio, bench->rounds), "added_ns",
			 rounded(median(added, bench->rounds), 1));
}

static json_t *measure(struct bench *bench)
{
	const struct packets *packets = bench->packets;
	static double ns[MAX_ROUNDS][MAX_CONTENDERS];
	json_t *rows;
	int err = 0;

	for (size_t i = 0; i < bench->rounds && !err; i++)
		err = take_round(bench, ns[i]);
	if (err) {
		fprintf(stderr, "bench: run time, %s: %s\n", packets->name, strerror(-err));
		return NULL;
	}
	rows = json_array();
	for (size_t i = 0; i < bench->contenders; i++)
		json_array_append_new(rows, row_json(bench, i, ns));
	return json_pack("{s:s, s:s, s:i, s:i, s:i, s:o}", "packets", packets->name, "what",
			 packets->what, "members", (int)packets->n, "rounds", (int)bench->rounds,
			 "packets_per_round", (int)(packets->slice * bench->slices), "rows", rows);
}

static const struct contenders *contenders_for(const char *packets)
{
	static const struct {
		const char *packets;
		const struct contenders *contenders;
	} special[] = {
		{ "flows", &table_sizes },
		{ "known", &sticky_known },
		{ "new", &sticky_new },
		{ "reads", &kernel_reads },
	};

	for (size_t i = 0; i < sizeof(special) / sizeof(*special); i++)
		if (!strcmp(packets, special[i].packets))
			return special[i].contenders;
	return &every_policy;
}

static int set_up(struct bench *bench, const char *name, size_t members)
{
	const struct contenders *contenders = contenders_for(name);
	int err;

	if (net__enter_own() || net__pin_to_one_cpu())
		return -EPERM;
	bench->packets = packets__open(name, members);
	if (!bench->packets)
		return -EINVAL;
	bench->contenders = contenders->n;
	err = programs__load(&bench->programs, contenders, bench->packets->proto,
			     bench->packets->members, members);
	if (err)
		return err;
	/* The statistics are on for as long as this descriptor is open. */
	if (bpf_enable_stats(BPF_STATS_RUN_TIME) < 0) {
		perror("bench: BPF_ENABLE_STATS");
		return -errno;
	}
	return 0;
}

int main(int argc, char **argv)
{
	size_t members = argc == 5 ? strtoul(argv[2], NULL, 10) : 0;
	struct bench bench = { .packets = NULL };
	json_t *result;

	if (argc == 5) {
		bench.rounds = strtoul(argv[3], NULL, 10);
		bench.slices = strtoul(argv[4], NULL, 10);
	}
	if (!members || members > MAX_MEMBERS || !bench.rounds || bench.rounds > MAX_ROUNDS ||
	    !bench.slices || bench.slices > MAX_SLICES) {
		fprintf(stderr,
			"usage: runtime udp|tcp|flows|known|new|reads MEMBERS ROUNDS SLICES\n");
		return 2;
	}
	if (set_up(&bench, argv[1], members))
		return 1;
	result = measure(&bench);
	programs__free(&bench.programs);
	return !result || print_json(result) ? 1 : 0;
}
