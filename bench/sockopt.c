// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/*
 * What the hooks of the socket options cost: CPU time of setsockopt() and getsockopt() of other
 * levels, of the workers' own, and of other servers' binds and connections, with an attachment
 * and without, in turns. Steers a group of its own, in a network namespace of its own, with
 * a bpffs of its own. Prints JSON.
 *   sockopt REUSEPORTCTL ROUNDS
 */
#include <bpf/bpf.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "ctl.h"
#include "elsewhere.h"
#include "host/cgroup.h"
#include "net.h"
#include "reuseport_sockopt.h"
#include "stats.h"

#define MAX_ROUNDS 99
#define TRIES 20 /* of a round, where others' programs come and go */
#define SLICES 20
#define CALLS 1000 /* of each kind in a slice */

static volatile sig_atomic_t stopped;

static void stop(int signal)
{
	(void)signal;
	stopped = 1;
}

/* --------------------------------------------------------------------- calls */

enum { FREE, MEMBER, SOCKETS };

static int sockets[SOCKETS]; /* one that is not bound, one of the group */
static int value[1024] = { 1 };

static const struct call {
	const char *name;
	int level, option;
	socklen_t len;
	int socket;
	bool set;
} calls[] = {
	{ "setsockopt, TCP_NODELAY", IPPROTO_TCP, TCP_NODELAY, 4, FREE, true },
	{ "setsockopt, a value of 64 bytes", IPPROTO_TCP, TCP_NODELAY, 64, FREE, true },
	{ "setsockopt, one of 4 KB", IPPROTO_TCP, TCP_NODELAY, sizeof(value), FREE, true },
	{ "getsockopt, SO_ERROR", SOL_SOCKET, SO_ERROR, 4, FREE, false },
	{ "getsockopt, TCP_INFO", IPPROTO_TCP, TCP_INFO, 232, FREE, false },
	{ "READY, not bound yet", SOL_REUSEPORT_BPF, REUSEPORT_READY, 4, FREE, true },
	{ "READY, of a worker", SOL_REUSEPORT_BPF, REUSEPORT_READY, 4, MEMBER, true },
	{ "STATE, of a worker", SOL_REUSEPORT_BPF, REUSEPORT_STATE, 40, MEMBER, false },
};

#define N_CALLS (sizeof(calls) / sizeof(*calls))

/* Nanoseconds of one. */
static double slice(const struct call *call)
{
	int fd = sockets[call->socket], got[64];
	uint64_t since = now_ns(CLOCK_PROCESS_CPUTIME_ID);

	for (int i = 0; i < CALLS; i++) {
		socklen_t len = call->len;

		if (call->set)
			setsockopt(fd, call->level, call->option, value, len);
		else
			getsockopt(fd, call->level, call->option, got, &len);
	}
	return (double)(now_ns(CLOCK_PROCESS_CPUTIME_ID) - since) / CALLS;
}

static void time_calls(double ns[N_CALLS])
{
	static double slices[N_CALLS][SLICES];

	for (size_t i = 0; i < SLICES; i++)
		for (size_t call = 0; call < N_CALLS; call++)
			slices[call][i] = slice(&calls[call]);
	for (size_t call = 0; call < N_CALLS; call++)
		ns[call] = median(slices[call], SLICES);
}

/* -------------------------------------------------------------------- rounds */

struct arm {
	double ns[N_CALLS];
	struct elsewhere_cost elsewhere[ELSEWHERE_JOBS];
};

static struct {
	double ns[2][N_CALLS][MAX_ROUNDS], added[N_CALLS][MAX_ROUNDS], ratio[N_CALLS][MAX_ROUNDS];
	double elsewhere[ELSEWHERE_JOBS][MAX_ROUNDS];
} seen;

/* How many programs a setsockopt() runs, of this toolkit and of others. */
static int programs_at_root(void)
{
	int cgroup = cgroup_open_root();
	__u32 n = 0;

	if (cgroup < 0 ||
	    bpf_prog_query(cgroup, BPF_CGROUP_SETSOCKOPT, BPF_F_QUERY_EFFECTIVE, NULL, NULL, &n))
		n = -1;
	if (cgroup >= 0)
		close(cgroup);
	return (int)n;
}

/* -EAGAIN if it is not the expected number of programs that the calls have run. */
static int measure_arm(struct arm *arm, int programs)
{
	int before = programs_at_root(), err;

	time_calls(arm->ns);
	err = elsewhere__measure(arm->elsewhere);
	if (!err && (before != programs || programs_at_root() != programs))
		err = -EAGAIN;
	return stopped ? -EINTR : err;
}

static int measure_round(struct ctl *ctl, struct arm arms[2])
{
	int err = measure_arm(&arms[0], 0);

	if (err)
		return err;
	err = ctl__attach(ctl, "");
	if (err)
		return err;
	usleep(300000); /* the keeper comes to rest */
	err = measure_arm(&arms[1], 1);
	return ctl__detach(ctl) ? -EIO : err;
}

static void note_round(const struct arm arms[2], size_t round)
{
	for (size_t call = 0; call < N_CALLS; call++) {
		double without = arms[0].ns[call], with = arms[1].ns[call];

		seen.ns[0][call][round] = without;
		seen.ns[1][call][round] = with;
		seen.added[call][round] = with - without;
		seen.ratio[call][round] = with / without;
	}
	for (size_t job = 0; job < ELSEWHERE_JOBS; job++)
		seen.elsewhere[job][round] = arms[1].elsewhere[job].relative /
					     arms[0].elsewhere[job].relative;
}

static int measure(struct ctl *ctl, size_t rounds)
{
	struct arm arms[2];

	for (size_t round = 0, tries = 0; round < rounds;) {
		int err = measure_round(ctl, arms);

		if (!err) {
			note_round(arms, round++);
		} else if (err != -EAGAIN) {
			return err;
		} else if (++tries > TRIES * rounds) {
			fprintf(stderr,
				"bench: a setsockopt() runs %d programs of others at the "
				"root of cgroup2, or none with an attachment\n",
				programs_at_root());
			return err;
		} else {
			usleep(500000);
		}
	}
	return 0;
}

/* ---------------------------------------------------------------------- main */

static json_t *result_json(size_t rounds)
{
	json_t *rows = json_array(), *elsewhere = json_array();

	for (size_t call = 0; call < N_CALLS; call++)
		json_array_append_new(
			rows, json_pack("{s:s, s:o, s:o, s:o, s:o}", "what", calls[call].name,
					"without_ns", spread_json(seen.ns[0][call], rounds),
					"with_ns", spread_json(seen.ns[1][call], rounds),
					"added_ns", spread_json(seen.added[call], rounds), "ratio",
					spread_json(seen.ratio[call], rounds)));
	for (enum elsewhere_job job = 0; job < ELSEWHERE_JOBS; job++)
		json_array_append_new(elsewhere,
				      json_pack("{s:s, s:o}", "what", elsewhere__name(job), "ratio",
						spread_json(seen.elsewhere[job], rounds)));
	return json_pack("{s:i, s:o, s:o}", "rounds", (int)rounds, "rows", rows, "elsewhere",
			 elsewhere);
}

static int open_sockets(void)
{
	sockets[MEMBER] = net__member(SOCK_STREAM);
	sockets[FREE] = net__reuseport_socket(SOCK_STREAM);
	return sockets[MEMBER] < 0 || sockets[FREE] < 0 || net__member(SOCK_STREAM) < 0 ? -EIO : 0;
}

int main(int argc, char **argv)
{
	size_t rounds = argc == 3 ? strtoul(argv[2], NULL, 10) : 0;
	struct sigaction action = { .sa_handler = stop };
	struct ctl ctl = { .path = argv[1], .proto = "tcp" };

	if (!rounds || rounds > MAX_ROUNDS) {
		fprintf(stderr, "usage: sockopt REUSEPORTCTL ROUNDS\n");
		return 2;
	}
	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
	if (ctl__enter_own_bpffs() || elsewhere__begin() || open_sockets() || measure(&ctl, rounds))
		return 1;
	return print_json(result_json(rounds)) ? 1 : 0;
}
