// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/*
 * Run time per packet, from the kernel's own statistics (run_time_ns and
 * run_cnt of struct bpf_prog_info): an empty program, a bare select and ours,
 * taking turns, for UDP datagrams at full rate and for TCP SYNs. Prints JSON.
 *   runtime ROUNDS
 */
#include <bpf/bpf.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "net.h"
#include "programs.h"
#include "stats.h"

#define MEMBERS 4
#define FLOWS 64      /* UDP clients, each a flow of its own */
#define BURST 16      /* datagrams between two times of draining */
#define SLICES 10     /* of a round, in each of which every program has a turn */
#define MAX_ROUNDS 99

/* One way to make packets reach the group: "send" makes n of them. */
struct traffic {
	const char *name;
	int type;           /* of the sockets */
	unsigned int slice; /* packets in one turn */
	int (*send)(const struct traffic *traffic, unsigned int n);
	int members[MEMBERS];
	int flows[FLOWS];
};

static void drain_datagrams(const int *members)
{
	char byte;

	for (size_t i = 0; i < MEMBERS; i++)
		while (recv(members[i], &byte, sizeof(byte), 0) > 0)
			;
}

static int send_datagrams(const struct traffic *traffic, unsigned int n)
{
	for (unsigned int i = 0; i < n; i++) {
		if (send(traffic->flows[i % FLOWS], "x", 1, 0) != 1)
			return -errno;
		if (i % BURST == BURST - 1)
			drain_datagrams(traffic->members);
	}
	drain_datagrams(traffic->members);
	return 0;
}

static int send_syns(const struct traffic *traffic, unsigned int n)
{
	for (unsigned int i = 0; i < n; i++) {
		int client = net__client(SOCK_STREAM), served;

		if (client < 0)
			return client;
		for (size_t m = 0; m < MEMBERS; m++)
			while ((served = accept(traffic->members[m], NULL, NULL)) >= 0)
				net__reset(served);
		close(client);
	}
	return 0;
}

static int open_traffic(struct traffic *traffic)
{
	for (size_t i = 0; i < MEMBERS; i++) {
		traffic->members[i] = net__member(traffic->type | SOCK_NONBLOCK);
		if (traffic->members[i] < 0)
			return traffic->members[i];
	}
	for (size_t i = 0; i < FLOWS && traffic->type == SOCK_DGRAM; i++) {
		traffic->flows[i] = net__client(SOCK_DGRAM);
		if (traffic->flows[i] < 0)
			return traffic->flows[i];
	}
	return 0;
}

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

/* One program's turn; adds what it took to "sum". */
static int take_turn(const struct programs *programs, size_t contender,
		     const struct traffic *traffic, struct run *sum)
{
	int program = programs->contenders[contender].program, err;
	struct run before, after;

	err = programs__put(programs, contender, traffic->members, MEMBERS);
	if (!err)
		err = traffic->send(traffic, traffic->slice / 10); /* after the switch: not counted */
	if (!err)
		err = read_run(program, &before);
	if (!err)
		err = traffic->send(traffic, traffic->slice);
	if (!err)
		err = read_run(program, &after);
	if (err)
		return err;
	if (after.count - before.count < traffic->slice)
		return -ENODATA;
	sum->ns += after.ns - before.ns;
	sum->count += after.count - before.count;
	return 0;
}

/* Every program in turn, each slice beginning with another; ns per packet. */
static int take_round(const struct programs *programs, const struct traffic *traffic, double *ns)
{
	struct run sums[MAX_CONTENDERS] = { 0 };

	for (size_t slice = 0; slice < SLICES; slice++)
		for (size_t i = 0; i < programs->n; i++) {
			size_t contender = (slice + i) % programs->n;
			int err = take_turn(programs, contender, traffic, &sums[contender]);

			if (err)
				return err;
		}
	for (size_t i = 0; i < programs->n; i++)
		ns[i] = sums[i].ns / sums[i].count;
	return 0;
}

static json_t *row_json(const struct contender *contender, size_t index, size_t rounds,
			double (*ns)[MAX_CONTENDERS])
{
	double own[MAX_ROUNDS], ratio[MAX_ROUNDS], added[MAX_ROUNDS];

	for (size_t i = 0; i < rounds; i++) {
		own[i] = ns[i][index];
		ratio[i] = own[i] / ns[i][CONTENDER_BARE];
		added[i] = own[i] - ns[i][CONTENDER_BARE];
	}
	return json_pack("{s:s, s:s, s:b, s:o, s:o, s:o}",
			 "program", contender->name, "what", contender->what,
			 "ours", index == CONTENDER_OURS,
			 "ns", spread_json(own, rounds),
			 "ratio", spread_json(ratio, rounds),
			 "added_ns", rounded(median(added, rounds), 1));
}

static int measure(const struct programs *programs, struct traffic *traffic, size_t rounds,
		   json_t *results)
{
	double ns[MAX_ROUNDS][MAX_CONTENDERS];
	json_t *rows;
	int err = open_traffic(traffic);

	for (size_t i = 0; i < rounds && !err; i++)
		err = take_round(programs, traffic, ns[i]);
	if (err) {
		fprintf(stderr, "bench: run time, %s: %s\n", traffic->name, strerror(-err));
		return err;
	}
	rows = json_array();
	for (size_t i = 0; i < programs->n; i++)
		json_array_append_new(rows, row_json(&programs->contenders[i], i, rounds, ns));
	return json_object_set_new(results, traffic->name,
				   json_pack("{s:i, s:o}", "packets_per_round",
					     (int)traffic->slice * SLICES, "rows", rows));
}

int main(int argc, char **argv)
{
	struct traffic udp = { .name = "udp", .type = SOCK_DGRAM, .slice = 4000,
			       .send = send_datagrams };
	struct traffic tcp = { .name = "tcp", .type = SOCK_STREAM, .slice = 300,
			       .send = send_syns };
	size_t rounds = argc == 2 ? strtoul(argv[1], NULL, 10) : 0;
	struct programs programs;
	json_t *results;
	int err;

	if (rounds < 1 || rounds > MAX_ROUNDS) {
		fprintf(stderr, "usage: runtime ROUNDS (1 to %d)\n", MAX_ROUNDS);
		return 2;
	}
	if (net__enter_own() || net__pin_to_one_cpu() || programs__load(&programs, MEMBERS))
		return 1;
	/* The statistics are on for as long as this descriptor is open. */
	if (bpf_enable_stats(BPF_STATS_RUN_TIME) < 0) {
		perror("bench: BPF_ENABLE_STATS");
		return 1;
	}
	results = json_pack("{s:i, s:i}", "rounds", (int)rounds, "members", MEMBERS);
	err = measure(&programs, &udp, rounds, results);
	if (!err)
		err = measure(&programs, &tcp, rounds, results);
	programs__free(&programs);
	if (err)
		json_decref(results);
	else
		err = print_json(results);
	return err ? 1 : 0;
}
