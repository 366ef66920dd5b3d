// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* reuseportctl attach: steers the groups on a port and starts their keepers. */
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>
#include <time.h>
#include <unistd.h>

#include "attach_groups.h"
#include "bounds.h"
#include "command.h"
#include "filter.h"
#include "format.h"
#include "keeper/keeper.h"
#include "log.h"
#include "message.h"
#include "privileges.h"

#define WAIT_PAUSE_NS 20000000L

struct attach_state {
	struct reuseport_key_list *keys;
	struct attach_groups groups;
	struct log log;
};

static int find_groups(const struct options *options, struct attach_state *all)
{
	struct reuseport_filter filter;
	struct reuseport_error error;
	int ret = filter_from_options(options, &filter);

	if (ret != EXIT_DONE)
		return ret;
	for (;;) {
		ret = reuseport_find(&filter, &all->keys, &error);
		if (ret != -ENOENT || !options->wait)
			break;
		nanosleep(&(struct timespec){ .tv_nsec = WAIT_PAUSE_NS }, NULL);
	}
	return ret ? exit_failed(&error) : EXIT_DONE;
}

static int attach_to_groups(const struct options *options, struct attach_state *all)
{
	struct reuseport_attach_opts opts = {
		.sz = sizeof(opts),
		.policy = options->policy.policy,
		.over = options->policy.over,
		.key = options->policy.key,
		.hash_key = options->policy.hash_key,
		.cpu_map = options->policy.cpu_map,
		.table_entries = options->table,
		.slots = options->slots,
		.admit = options->admit,
		.flows = options->sticky && !options->flows ? FLOWS_DEFAULT : options->flows,
		.idle_s = options->idle_s,
		.force = options->force,
		.log = log_line,
		.log_ctx = &all->log,
	};

	return attach_groups_make(&all->groups, all->keys, &opts);
}

/* Return whether another user has a group at the same place, so that only the uid tells them
 * apart. */
static bool has_twin(const struct attach_state *all, const struct reuseport_key *key)
{
	const struct reuseport_key *other;
	bool has = false;

	for (size_t i = 0; (other = reuseport_key_list__get(all->keys, i)); i++)
		has |= format_needs_uid(key, other);
	return has;
}

static void report_attached(const struct attach_state *all, size_t i, pid_t keeper)
{
	const struct reuseport_group *group = all->groups.list[i];
	const struct reuseport_key *key = reuseport_group__key(group);
	unsigned int workers = reuseport_group__workers(group);
	char endpoint[FORMAT_ENDPOINT_MAX];

	format_endpoint(key, endpoint);
	printf("%s %s", format_proto(key->proto), endpoint);
	if (has_twin(all, key))
		printf(" uid %u", key->uid);
	printf(": %s %u worker%s; keeper %d; pins in ",
	       reuseport_group__adopted(group) ? "adopted," : "steering", workers,
	       workers == 1 ? "" : "s", keeper);
	format_print(reuseport_group__pin(group));
	putchar('\n');
}

static int fork_keepers(struct attach_state *all)
{
	int status = EXIT_DONE;
	pid_t pid;

	for (size_t i = 0; i < all->groups.n; i++) {
		fflush(stdout);
		pid = keeper_fork(all->groups.list, all->groups.n, i, &all->log, &status);
		if (pid == 0)
			return status;
		if (pid < 0) {
			message("cannot start a keeper: %s; steering continues "
				"without one",
				strerror(-pid));
			status = EXIT_FAILED;
			continue;
		}
		report_attached(all, i, pid);
	}
	return status;
}

static int run_in_foreground(struct attach_state *all)
{
	for (size_t i = 0; i < all->groups.n; i++)
		report_attached(all, i, getpid());
	exit_written();
	return keeper_run(all->groups.list, all->groups.n, &all->log);
}

static int wrong_log(const char *what, const char *path, int code)
{
	message("cannot %s --log %s: %s", what, path, strerror(code));
	return EXIT_FAILED;
}

/* Open the log for the time of attaching: without --log, warnings on standard error. Write
 * a first line, so that a log that takes nothing is noticed before anything is changed. */
static int open_log(const struct options *options, struct log *log)
{
	char line[64];

	*log = (struct log){ .fd = STDERR_FILENO, .max_level = LOG_WARNING };
	if (!options->log)
		return EXIT_DONE;
	/* It may be a pipe, to which no one listens: do not wait for that. */
	log->fd = open(options->log,
		       O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY | O_NONBLOCK, 0600);
	log->max_level = LOG_INFO;
	if (log->fd < 0)
		return wrong_log("open", options->log, errno);
	snprintf(line, sizeof(line), "attach: %s port %u", format_proto(options->proto),
		 options->ports[0]);
	log_line(log, LOG_INFO, line);
	return log->error ? wrong_log("write to", options->log, log->error) : EXIT_DONE;
}

/* Switch the log to what the keeper uses: more levels and, in the background, syslog. */
static void use_keeper_log(const struct options *options, struct log *log)
{
	log->max_level = LOG_INFO;
	if (options->log || options->foreground)
		return;
	log->fd = -1;
	openlog("reuseportctl", LOG_PID, LOG_DAEMON);
}

/* Report that a message of this process is lost. */
static int check_log(const struct options *options, const struct log *log, int status)
{
	if (!log->error)
		return status;
	if (options->log)
		wrong_log("write to", options->log, log->error);
	return status == EXIT_DONE ? EXIT_FAILED : status;
}

static int attach_exec(const struct options *options)
{
	struct attach_state all = { 0 };
	int status;

	if (open_log(options, &all.log) != EXIT_DONE)
		return EXIT_FAILED;
	status = privileges_keep(PRIVILEGES_COMMAND);
	if (status == EXIT_DONE)
		status = find_groups(options, &all);
	if (status == EXIT_DONE)
		status = attach_to_groups(options, &all);
	if (status == EXIT_DONE) {
		use_keeper_log(options, &all.log);
		status = options->foreground ? run_in_foreground(&all) : fork_keepers(&all);
	}
	attach_groups_free(&all.groups);
	reuseport_key_list__free(all.keys);
	return check_log(options, &all.log, status);
}

const struct command cmd_attach = {
	.name = "attach",
	.summary = "Steer the reuseport groups on a port and follow their workers",
	.takes = OPT_PORT | OPT_PROTO | OPT_ADDR | OPT_NETNS | OPT_UID | OPT_POLICY |
		 OPT_POLICY_OPTS | OPT_SLOTS | OPT_TABLE | OPT_ADMIT | OPT_STICKY | OPT_FOREGROUND |
		 OPT_WAIT | OPT_FORCE | OPT_LOG,
	.requires = OPT_PORT,
	.exec = attach_exec,
};
