// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* reuseportctl attach: steers the groups on a port and leaves keepers behind. */
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>
#include <time.h>
#include <unistd.h>

#include "command.h"
#include "keeper/keeper.h"
#include "log.h"
#include "words.h"

#define WAIT_PAUSE_NS 20000000L
#define FLOWS_DEFAULT 65536

/* What is being attached: one handle for each group on the port. */
struct attaching {
	struct reuseport_key_list *keys;
	struct reuseport_group **groups;
	size_t n;
	struct log log;
};

static int find_groups(const struct options *options, struct attaching *all)
{
	struct reuseport_filter filter;
	struct reuseport_error error;
	int ret = word_filter(options, &filter);

	if (ret != EXIT_DONE)
		return ret;
	for (;;) {
		ret = reuseport_find(&filter, &all->keys, &error);
		if (ret != -ENOENT || !options->wait)
			break;
		nanosleep(&(struct timespec){ .tv_nsec = WAIT_PAUSE_NS }, NULL);
	}
	all->n = reuseport_key_list__count(all->keys);
	return ret ? word_failure(&error) : EXIT_DONE;
}

/* Gives back what this command attached, if a later group fails. */
static void undo(struct attaching *all)
{
	struct reuseport_filter filter;
	struct reuseport_error error;
	char addr[INET6_ADDRSTRLEN];

	for (size_t i = 0; i < all->n; i++) {
		const struct reuseport_key *key = reuseport_key_list__get(all->keys, i);
		bool adopted = all->groups[i] && reuseport_group__adopted(all->groups[i]);

		if (!all->groups[i])
			continue;
		reuseport_group__free(all->groups[i]);
		all->groups[i] = NULL;
		word_addr(key, addr, sizeof(addr));
		filter = (struct reuseport_filter)REUSEPORT_INIT(reuseport_filter,
								 .proto = key->proto,
								 .port = key->port, .addr = addr,
								 .netns = key->netns);
		if (!adopted && reuseport_detach(&filter, &error) < 0)
			word_failure(&error);
	}
}

static int attach_groups(const struct options *options, struct attaching *all)
{
	struct reuseport_attach_opts opts = {
		.sz = sizeof(opts),
		.policy = options->rules.policy,
		.over = options->rules.over,
		.key = options->rules.key,
		.hash_key = options->rules.hash_key,
		.cpu_map = options->rules.cpu_map,
		.table_entries = options->table,
		.slots = options->slots,
		.admit = options->admit,
		.flows = options->sticky && !options->flows ? FLOWS_DEFAULT : options->flows,
		.idle_s = options->idle_s,
		.force = options->force,
		.log = log_line,
		.log_ctx = &all->log,
	};
	struct reuseport_error error;

	all->groups = calloc(all->n, sizeof(*all->groups));
	if (!all->groups)
		return EXIT_FAILED;
	for (size_t i = 0; i < all->n; i++) {
		if (!reuseport_attach(reuseport_key_list__get(all->keys, i), &opts, &all->groups[i],
				      &error))
			continue;
		undo(all);
		return word_failure(&error);
	}
	return EXIT_DONE;
}

static void report(const struct attaching *all, size_t i, pid_t keeper)
{
	const struct reuseport_key *key = reuseport_key_list__get(all->keys, i);
	const struct reuseport_group *group = all->groups[i];
	unsigned int workers = reuseport_group__workers(group);
	char endpoint[80];

	word_endpoint(key, endpoint, sizeof(endpoint));
	printf("%s %s: %s %u worker%s; keeper %d; pins in %s\n", word_proto(key->proto), endpoint,
	       reuseport_group__adopted(group) ? "adopted," : "steering", workers,
	       workers == 1 ? "" : "s", keeper, reuseport_group__pin(group));
	fflush(stdout);
}

static int leave_keepers(struct attaching *all)
{
	int status = EXIT_DONE;
	pid_t pid;

	for (size_t i = 0; i < all->n; i++) {
		fflush(stdout);
		pid = keeper_leave_behind(all->groups, all->n, i, &all->log, &status);
		if (pid == 0)
			return status;
		if (pid < 0) {
			fprintf(stderr,
				"reuseportctl: cannot leave a keeper behind: %s; steering "
				"goes on without one\n",
				strerror(-pid));
			status = EXIT_FAILED;
			continue;
		}
		report(all, i, pid);
	}
	return status;
}

static int stay(struct attaching *all)
{
	for (size_t i = 0; i < all->n; i++)
		report(all, i, getpid());
	return keeper_run(all->groups, all->n, &all->log);
}

/* While attaching, warnings go to the terminal; the keeper says more. */
static int open_log(const struct options *options, struct log *log)
{
	*log = (struct log){ .fd = STDERR_FILENO, .least = LOG_WARNING };
	if (!options->log)
		return EXIT_DONE;
	log->fd = open(options->log, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0640);
	log->least = LOG_INFO;
	if (log->fd >= 0)
		return EXIT_DONE;
	fprintf(stderr, "reuseportctl: cannot open --log %s: %s\n", options->log, strerror(errno));
	return EXIT_FAILED;
}

static void aim_log_at_keeper(const struct options *options, struct log *log)
{
	log->least = LOG_INFO;
	if (options->log || options->foreground)
		return;
	log->fd = -1;
	openlog("reuseportctl", LOG_PID, LOG_DAEMON);
}

static int attach(const struct options *options)
{
	struct attaching all = { 0 };
	int status;

	status = open_log(options, &all.log);
	if (status == EXIT_DONE)
		status = find_groups(options, &all);
	if (status == EXIT_DONE)
		status = attach_groups(options, &all);
	if (status == EXIT_DONE) {
		aim_log_at_keeper(options, &all.log);
		status = options->foreground ? stay(&all) : leave_keepers(&all);
	}
	for (size_t i = 0; all.groups && i < all.n; i++)
		reuseport_group__free(all.groups[i]);
	free(all.groups);
	reuseport_key_list__free(all.keys);
	return status;
}

const struct command cmd_attach = {
	.name = "attach",
	.summary = "Steer the reuseport groups on a port and keep in sync with their workers",
	.takes = OPT_PORT | OPT_PROTO | OPT_ADDR | OPT_NETNS | OPT_POLICY | OPT_RULES | OPT_SLOTS |
		 OPT_TABLE | OPT_RESTART | OPT_FOREGROUND | OPT_WAIT | OPT_FORCE | OPT_LOG,
	.requires = OPT_PORT,
	.exec = attach,
};
