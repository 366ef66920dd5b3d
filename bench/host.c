// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/*
 * What a host with many attachments pays: other servers' binds and connections, a
 * worker's wait for its slot, the keepers' memory, descriptors and idle CPU time, attach
 * and status. Steers groups of its own, in namespaces of its own, with a bpffs of its own.
 * Each round goes from 0 attachments up to the most and down again. Prints JSON.
 *   host REUSEPORTCTL ROUNDS ATTACHMENTS...
 */
#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "ctl.h"
#include "elsewhere.h"
#include "joins.h"
#include "keepers.h"
#include "net.h"
#include "servers.h"
#include "stats.h"

#define MAX_LEVELS 8
#define MAX_ROUNDS 20
#define JOINS 100
#define IDLE_S 10
#define SLOTS (SERVERS_MEMBERS + JOINS_SPARE_SLOTS)

static volatile sig_atomic_t stopped;

static void stop(int signal)
{
	(void)signal;
	stopped = 1;
}

struct level {
	size_t wanted, attachments; /* fewer, where no more could be attached */
	/* Each passage's cost, to that of no attachment on the same way. */
	double ratio[ELSEWHERE_JOBS][2 * MAX_ROUNDS];
	double ns[ELSEWHERE_JOBS][2 * MAX_ROUNDS];
	double keepers[2 * MAX_ROUNDS]; /* their CPU time to that of the work elsewhere */
	json_t *once;                   /* what is measured in the first round only */
};

struct host {
	const char *path; /* of reuseportctl */
	struct level levels[MAX_LEVELS];
	size_t n_levels;
	size_t attached;
	double attach_s, first_attach_ms; /* of those that are attached */
};

static double seconds_since(uint64_t since)
{
	return (double)(now_ns(CLOCK_MONOTONIC) - since) / 1e9;
}

/* ---------------------------------------------------------- attach and detach */

static struct ctl ctl_of(const struct host *host, size_t i)
{
	struct servers_group group = servers__group(i);

	return (struct ctl){
		.path = host->path, .proto = group.proto, .port = group.port, .netns = group.server
	};
}

static int attach_up_to(struct host *host, size_t n)
{
	uint64_t since = now_ns(CLOCK_MONOTONIC);
	char slots[32];
	int err = 0;

	if (!host->attached)
		host->attach_s = 0;
	snprintf(slots, sizeof(slots), "--slots %d", SLOTS);
	while (!err && !stopped && host->attached < n) {
		struct ctl ctl = ctl_of(host, host->attached);

		err = ctl__run(&ctl, "attach", slots);
		if (!err && !host->attached++)
			host->first_attach_ms = seconds_since(since) * 1000;
	}
	host->attach_s += seconds_since(since);
	return stopped ? -EINTR : err;
}

/* Goes on after a failure. */
static int detach_down_to(struct host *host, size_t n)
{
	int err = 0;

	while (host->attached > n) {
		struct ctl ctl = ctl_of(host, --host->attached);

		if (ctl__run(&ctl, "detach", ""))
			err = -EIO;
	}
	return err;
}

/* Where a limit does not let so many be, the level is of those that there are. */
static int change_to(struct host *host, struct level *level)
{
	int err;

	if (level->attachments < host->attached)
		return detach_down_to(host, level->attachments);
	err = attach_up_to(host, level->attachments);
	if (!err || stopped)
		return err;
	fprintf(stderr, "bench: no more than %zu attachments of %zu\n", host->attached,
		level->wanted);
	level->attachments = host->attached;
	return 0;
}

/* ---------------------------------------------------- in the first round only */

/* A socket of this process joins a group in another namespace. */
static json_t *measure_joins(const struct host *host, size_t i)
{
	struct servers_group group = servers__group(i);
	struct ctl ctl = ctl_of(host, i);
	struct joins_target target = {
		.pin = ctl.pin, .type = group.type, .port = group.port, .slots = SLOTS
	};
	json_t *result = NULL;

	if (ctl__read_pin(&ctl) || net__enter_of(group.server))
		return NULL;
	result = joins__measure(&target, JOINS, &stopped);
	if (net__return()) {
		json_decref(result);
		return NULL;
	}
	return result;
}

static int add_joins(const struct host *host, json_t *once)
{
	json_t *joins = json_object(), *measured = NULL;

	json_object_set_new(once, "join", joins);
	for (size_t i = host->attached > 1 ? host->attached - 2 : 0; i < host->attached; i++) {
		measured = measure_joins(host, i);
		if (!measured)
			return -EIO;
		json_object_set_new(joins, servers__group(i).proto, measured);
	}
	return 0;
}

static int add_keepers(json_t *once)
{
	struct keepers keepers;
	uint64_t began, cpu;

	usleep(500000); /* they come to rest */
	began = now_ns(CLOCK_MONOTONIC);
	cpu = keepers__cpu_ns();
	sleep(IDLE_S);
	cpu = keepers__cpu_ns() - cpu;
	json_object_set_new(once, "idle_percent",
			    rounded((double)cpu / 1e7 / seconds_since(began), 3));
	if (keepers__read(&keepers))
		return -EIO;
	json_object_set_new(once, "keepers", json_integer((int)keepers.n));
	json_object_set_new(once, "pss_mb", rounded((double)keepers.pss_kb / 1024, 1));
	json_object_set_new(once, "rss_mb", rounded((double)keepers.rss_kb / 1024, 1));
	json_object_set_new(once, "descriptors", json_integer((int)keepers.fds));
	json_object_set_new(once, "map_descriptors", json_integer((int)keepers.map_fds));
	return 0;
}

static int add_status(const struct host *host, json_t *once)
{
	struct ctl ctl = { .path = host->path };
	uint64_t since = now_ns(CLOCK_MONOTONIC);
	json_t *groups = ctl__status(&ctl, ""), *group;
	size_t i, whole = 0;

	json_object_set_new(once, "status_s", rounded(seconds_since(since), 3));
	json_array_foreach(groups, i, group)
	{
		json_t *workers = json_object_get(group, "workers");

		whole += json_array_size(workers) == SERVERS_MEMBERS;
	}
	json_decref(groups);
	if (whole == host->attached)
		return 0;
	fprintf(stderr, "bench: status shows %zu whole groups of %zu\n", whole, host->attached);
	return -EIO;
}

static int measure_once(const struct host *host, struct level *level)
{
	level->once = json_object();
	if (!host->attached)
		return 0;
	json_object_set_new(level->once, "attach_s", rounded(host->attach_s, 2));
	json_object_set_new(level->once, "first_attach_ms", rounded(host->first_attach_ms, 1));
	if (add_keepers(level->once) || add_status(host, level->once) ||
	    add_joins(host, level->once))
		return -EIO;
	return 0;
}

/* ------------------------------------------------------------------ passages */

/* The way up begins with no attachment, the way down ends with it. */
static int pass(const struct host *host, struct level *level, size_t way,
		double relative[ELSEWHERE_JOBS])
{
	struct elsewhere_cost cost[ELSEWHERE_JOBS];
	uint64_t keepers, own;

	usleep(300000);
	if (way == 0 && measure_once(host, level))
		return -EIO;
	keepers = keepers__cpu_ns();
	own = now_ns(CLOCK_PROCESS_CPUTIME_ID);
	if (elsewhere__measure(cost))
		return -EIO;
	own = now_ns(CLOCK_PROCESS_CPUTIME_ID) - own;
	level->keepers[way] = (double)(keepers__cpu_ns() - keepers) / (double)own;
	for (size_t job = 0; job < ELSEWHERE_JOBS; job++) {
		level->ns[job][way] = cost[job].ns;
		relative[job] = cost[job].relative;
	}
	return stopped ? -EINTR : 0;
}

static int go(struct host *host, size_t way)
{
	double relative[MAX_LEVELS][ELSEWHERE_JOBS];
	bool up = way % 2 == 0;

	for (size_t i = 0; i < host->n_levels; i++) {
		size_t at = up ? i : host->n_levels - 1 - i;

		if (change_to(host, &host->levels[at]) ||
		    pass(host, &host->levels[at], way, relative[at]))
			return -EIO;
	}
	for (size_t at = 0; at < host->n_levels; at++)
		for (size_t job = 0; job < ELSEWHERE_JOBS; job++)
			host->levels[at].ratio[job][way] = relative[at][job] / relative[0][job];
	return 0;
}

static json_t *row(struct level *level, size_t ways)
{
	json_t *row = level->once;

	json_object_set_new(row, "wanted", json_integer((int)level->wanted));
	json_object_set_new(row, "attachments", json_integer((int)level->attachments));
	for (enum elsewhere_job job = 0; job < ELSEWHERE_JOBS; job++)
		json_object_set_new(row, elsewhere__name(job),
				    json_pack("{s:o, s:o}", "ns",
					      rounded(median(level->ns[job], ways), 0), "ratio",
					      spread_json(level->ratio[job], ways)));
	json_object_set_new(row, "keepers_share", rounded(median(level->keepers, ways), 4));
	return row;
}

static json_t *measure(struct host *host, size_t rounds)
{
	json_t *rows = json_array();
	int err = 0;

	for (size_t way = 0; !err && way < 2 * rounds; way++)
		err = go(host, way);
	if (detach_down_to(host, 0) || err)
		return NULL;
	for (size_t i = 0; i < host->n_levels; i++)
		json_array_append_new(rows, row(&host->levels[i], 2 * rounds));
	return json_pack("{s:i, s:i, s:o}", "rounds", (int)rounds, "namespaces", SERVERS, "rows",
			 rows);
}

/* ---------------------------------------------------------------------- main */

static int allow_descriptors(void)
{
	struct rlimit files = { 4096, 4096 };

	if (!setrlimit(RLIMIT_NOFILE, &files))
		return 0;
	perror("bench: descriptors");
	return -errno;
}

/* The first level is 0, each one is more than the one before. */
static int read_levels(struct host *host, char **argv)
{
	for (; *argv; argv++, host->n_levels++) {
		size_t n = strtoul(*argv, NULL, 10);
		bool more = host->n_levels ? n > host->levels[host->n_levels - 1].wanted : !n;

		if (host->n_levels == MAX_LEVELS || !more || n > SERVERS_GROUPS)
			return -EINVAL;
		host->levels[host->n_levels].wanted = n;
		host->levels[host->n_levels].attachments = n;
	}
	return host->n_levels ? 0 : -EINVAL;
}

int main(int argc, char **argv)
{
	size_t rounds = argc > 3 ? strtoul(argv[2], NULL, 10) : 0;
	struct sigaction action = { .sa_handler = stop };
	static struct host host;
	json_t *result;

	if (!rounds || rounds > MAX_ROUNDS || read_levels(&host, argv + 3)) {
		fprintf(stderr, "usage: host REUSEPORTCTL ROUNDS 0 ATTACHMENTS...\n");
		return 2;
	}
	host.path = argv[1];
	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
	if (ctl__enter_own_bpffs() || allow_descriptors() || servers__start() || elsewhere__begin())
		return 1;
	result = measure(&host, rounds);
	return !result || print_json(result) ? 1 : 0;
}
