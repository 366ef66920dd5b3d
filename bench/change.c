// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/*
 * How long a change of a living attachment takes: reuseport_set_policy() and
 * reuseport_set_weight(), until no packet goes by the old plan any more, a keeper
 * running. Steers a group of its own, in a network namespace of its own. Prints
 * JSON.
 *   change REUSEPORTCTL MEMBERS TIMES
 */
#include <errno.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "ctl.h"
#include "net.h"
#include "reuseport_bpf.h"
#include "stats.h"

#define MAX_MEMBERS 512
#define MAX_TIMES 10000

static volatile sig_atomic_t stopped;

static void stop(int signal)
{
	(void)signal;
	stopped = 1;
}

/* Two states between which the attachment goes to and fro. */
static const struct job {
	const char *name;
	struct reuseport_policy_opts policy[2]; /* a weight is changed under the first */
	unsigned int weight[2];
} jobs[] = {
	{ "policy: hash, random",
	  { { .sz = sizeof(struct reuseport_policy_opts), .policy = "hash" },
	    { .sz = sizeof(struct reuseport_policy_opts), .policy = "random" } },
	  { 0 } },
	{ "policy: hash, consistent",
	  { { .sz = sizeof(struct reuseport_policy_opts), .policy = "hash" },
	    { .sz = sizeof(struct reuseport_policy_opts), .policy = "consistent" } },
	  { 0 } },
	{ "weight 1, 0 by hash",
	  { { .sz = sizeof(struct reuseport_policy_opts), .policy = "hash" } },
	  { 1, 0 } },
	{ "weight 1, 2 by weighted",
	  { { .sz = sizeof(struct reuseport_policy_opts), .policy = "weighted" } },
	  { 1, 2 } },
	{ "weight 1, 2 by consistent",
	  { { .sz = sizeof(struct reuseport_policy_opts), .policy = "consistent" } },
	  { 1, 2 } },
};

#define JOBS (sizeof(jobs) / sizeof(*jobs))

static int change(const struct job *job, const struct reuseport_filter *filter, size_t to)
{
	struct reuseport_error err;
	int ret = job->policy[1].policy ?
			  reuseport_set_policy(filter, &job->policy[to], &err) :
			  reuseport_set_weight(filter, "slot:0", job->weight[to], &err);

	if (ret == 1)
		return 0;
	fprintf(stderr, "bench: %s: %s\n", job->name, ret < 0 ? err.text : "nothing was changed");
	return -EIO;
}

/* The keeper comes to rest, and its timers do not march in step with us. */
static void rest(size_t i)
{
	usleep(2000 + (unsigned int)(i * 7919 % 3000));
}

static json_t *take(const struct job *job, const struct reuseport_filter *filter, size_t times)
{
	static double ms[MAX_TIMES];
	struct reuseport_error err;

	if (reuseport_set_policy(filter, &job->policy[0], &err) < 0) {
		fprintf(stderr, "bench: %s: %s\n", job->name, err.text);
		return NULL;
	}
	for (size_t i = 0; i < times; i++) {
		uint64_t since;

		rest(i);
		since = now_ns(CLOCK_MONOTONIC);
		if (stopped || change(job, filter, (i + 1) % 2))
			return NULL;
		ms[i] = (double)(now_ns(CLOCK_MONOTONIC) - since) / 1e6;
	}
	sort_samples(ms, times);
	return json_pack("{s:s, s:o, s:o, s:o}", "what", job->name, "p50_ms",
			 rounded(quantile(ms, times, 0.5), 2), "p99_ms",
			 rounded(quantile(ms, times, 0.99), 2), "max_ms",
			 rounded(ms[times - 1], 2));
}

static json_t *take_all(struct ctl *ctl, size_t members, size_t times)
{
	REUSEPORT_OPTS(reuseport_filter, filter, .proto = IPPROTO_UDP, .port = BENCH_PORT);
	json_t *rows = json_array(), *row = NULL;

	if (reuseport_netns(NULL, &filter.netns, NULL) || ctl__attach(ctl, ""))
		return NULL;
	for (size_t i = 0; i < JOBS; i++) {
		row = take(&jobs[i], &filter, times & ~1UL); /* even: ends as it began */
		if (!row)
			break;
		json_array_append_new(rows, row);
	}
	if (ctl__detach(ctl) || !row)
		return NULL;
	return json_pack("{s:i, s:i, s:o}", "members", (int)members, "times", (int)times, "rows",
			 rows);
}

int main(int argc, char **argv)
{
	size_t members = argc == 4 ? strtoul(argv[2], NULL, 10) : 0;
	size_t times = argc == 4 ? strtoul(argv[3], NULL, 10) : 0;
	struct ctl ctl = { .path = argc == 4 ? argv[1] : NULL, .proto = "udp" };
	struct sigaction action = { .sa_handler = stop };
	json_t *result;

	if (!members || members > MAX_MEMBERS || times < 2 || times > MAX_TIMES) {
		fprintf(stderr, "usage: change REUSEPORTCTL MEMBERS TIMES\n");
		return 2;
	}
	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
	if (net__enter_own())
		return 1;
	for (size_t i = 0; i < members; i++)
		if (net__member(SOCK_DGRAM) < 0)
			return 1;
	result = take_all(&ctl, members, times);
	return !result || print_json(result) ? 1 : 0;
}
