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
#include "effect.h"
#include "filter.h"
#include "format.h"
#include "keeper/host.h"
#include "keeper/keeper.h"
#include "log.h"
#include "message.h"
#include "privileges.h"
#include "places_alike.h"
#include "split_flows.h"

#define WAIT_PAUSE_NS 20000000L
#define LEAVE_TIMEOUT_MS 10000 /* for the keeper to take a group */
#define START_TRIES 3          /* of a keeper, which may end at that moment */

/* Descriptors that a keeper which is left behind needs beyond those of an attach. */
#define RESERVE 16

struct attach_state {
	struct reuseport_key_list *keys;
	struct attach_groups groups;
	struct log log;
	char *log_path; /* absolute, of --log; NULL: not given */
};

/* Return whether what --wait waits for is there. */
static bool has_all_protos(const struct options *options, const struct reuseport_key_list *keys)
{
	const struct reuseport_key *key;
	bool tcp = false, udp = false;

	for (size_t i = 0; (key = reuseport_key_list__get(keys, i)); i++) {
		tcp |= key->proto == IPPROTO_TCP;
		udp |= key->proto == IPPROTO_UDP;
	}
	return !options->any_proto || (tcp && udp);
}

static int find_groups(const struct options *options, struct attach_state *all)
{
	struct reuseport_filter filter;
	struct reuseport_error error;
	int ret = filter_from_options(options, &filter);

	if (ret != EXIT_DONE)
		return ret;
	for (;;) {
		ret = reuseport_find(&filter, &all->keys, &error);
		if (!options->wait || (ret && ret != -ENOENT) ||
		    (!ret && has_all_protos(options, all->keys)))
			break;
		reuseport_key_list__free(all->keys);
		all->keys = NULL;
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
		.partial = options->partial,
		.keep_weights = options->keep_weights,
		.no_sockopt = options->no_sockopt,
		.wait_ready = options->wait_ready,
		.log = log_line,
		.log_ctx = &all->log,
		.for_keeper = !options->foreground,
		.log_file = options->foreground ? NULL : all->log_path,
	};

	return attach_groups_make(&all->groups, all->keys, options, &opts);
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

/* Leave one group to the host's keeper, and start it if none runs. Return its pid, a negative
 * number with a message, or 0 in a keeper that was left behind and has ended. */
static pid_t leave_group(struct attach_state *all, size_t i, int *status)
{
	struct reuseport_error error;
	bool ended = false;
	pid_t pid = 0;

	/* Only what a keeper has taken has one. */
	for (int starts = 0;; starts++) {
		pid = reuseport_group__leave(all->groups.list[i], LEAVE_TIMEOUT_MS, &error);
		if (pid != -ENOENT || starts == START_TRIES)
			break;
		pid = host_leave_behind(&ended, status, &error);
		if (pid < 0 || ended)
			break;
	}
	if (pid < 0)
		message("%s; steering continues without a keeper", error.text);
	return ended ? 0 : pid;
}

static int leave_groups(struct attach_state *all)
{
	int status = EXIT_DONE;
	pid_t pid;

	for (size_t i = 0; i < all->groups.n; i++) {
		pid = leave_group(all, i, &status);
		if (!pid)
			return status;
		if (pid < 0)
			status = EXIT_FAILED;
		else
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

/* Make the path of the log absolute: the keeper has another working directory. */
static int find_log(const char *path, char **found)
{
	char *dir = *path == '/' ? strdup("") : getcwd(NULL, 0);

	if (!dir || asprintf(found, "%s%s%s", dir, *path == '/' ? "" : "/", path) < 0)
		*found = NULL;
	free(dir);
	return *found ? EXIT_DONE : exit_no_memory();
}

/* Open the log for the time of attaching: without --log, warnings on standard error. Write
 * a first line, so that a log that takes nothing is noticed before anything is changed. */
static int open_log(const struct options *options, struct attach_state *all)
{
	struct log *log = &all->log;
	char line[64];
	int fd;

	*log = (struct log){ .fd = STDERR_FILENO, .max_level = LOG_WARNING };
	if (!options->log)
		return EXIT_DONE;
	if (find_log(options->log, &all->log_path) != EXIT_DONE)
		return EXIT_FAILED;
	fd = log_open(all->log_path);
	if (fd < 0)
		return wrong_log("open", options->log, -fd);
	*log = (struct log){ .fd = fd, .max_level = LOG_INFO };
	snprintf(line, sizeof(line), "attach: %s port %u", filter_proto_text(options),
		 options->ports[0]);
	log_line(log, LOG_INFO, line);
	if (log->dropped)
		log->error = EAGAIN;
	return log->error ? wrong_log("write to", options->log, log->error) : EXIT_DONE;
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

/* Attach, with some descriptors less than there are: a group is not to be steered if a keeper
 * would then have too few of them. */
static int attach_with_reserve(const struct options *options, struct attach_state *all)
{
	int reserve[RESERVE], n = 0, status = EXIT_DONE;

	while (n < RESERVE && status == EXIT_DONE) {
		reserve[n] = fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
		if (reserve[n] < 0) {
			message("a keeper needs more descriptors: %s", strerror(errno));
			status = EXIT_FAILED;
		} else {
			n++;
		}
	}
	if (status == EXIT_DONE)
		status = attach_to_groups(options, all);
	while (n)
		close(reserve[--n]);
	return status;
}

static void warn_of_policy(const struct options *options)
{
	struct reuseport_status_list *list;
	struct reuseport_filter filter;

	if ((!split_flows_by(options->policy.policy) || options->proto == IPPROTO_TCP) &&
	    !places_alike_can_be(options->policy.policy))
		return;
	if (filter_from_options(options, &filter) || reuseport_get_status(&filter, &list, NULL))
		return;
	split_flows_warn(list);
	places_alike_warn(list);
	reuseport_status_list__free(list);
}

/* What is steered already has a keeper. See whether it does its work. */
static int check_kept(const struct options *options, const struct attach_groups *groups, int status)
{
	struct reuseport_filter filter;

	if (status != EXIT_DONE || !groups->steered || options->foreground)
		return status;
	return filter_from_options(options, &filter) ? EXIT_FAILED : effect_check_kept(&filter);
}

/* A group whose members can none be taken is not among those that were found. */
static int check_whole(const struct options *options, int status)
{
	struct reuseport_filter filter;

	if (status != EXIT_DONE || options->partial || options->foreground)
		return status;
	return filter_from_options(options, &filter) ? EXIT_FAILED :
						       effect_check_whole(options, &filter);
}

static int attach_exec(const struct options *options)
{
	struct attach_state all = { 0 };
	int status;

	if (open_log(options, &all) != EXIT_DONE) {
		free(all.log_path);
		return EXIT_FAILED;
	}
	status = privileges_keep(PRIVILEGES_COMMAND);
	if (status == EXIT_DONE)
		status = find_groups(options, &all);
	if (status == EXIT_DONE)
		status = attach_with_reserve(options, &all);
	if (status == EXIT_DONE) {
		warn_of_policy(options);
		all.log.max_level = LOG_INFO;
		status = options->foreground ? run_in_foreground(&all) : leave_groups(&all);
		status = check_kept(options, &all.groups, status);
		status = check_whole(options, status);
	}
	attach_groups_free(&all.groups);
	free(all.log_path);
	reuseport_key_list__free(all.keys);
	return check_log(options, &all.log, status);
}

const struct command cmd_attach = {
	.name = "attach",
	.summary = "Steer the reuseport groups on a port and follow their workers",
	.takes = OPT_PORT | OPT_PROTO | OPT_ADDR | OPT_NETNS | OPT_UID | OPT_POLICY |
		 OPT_POLICY_OPTS | OPT_SLOTS | OPT_TABLE | OPT_ADMIT | OPT_STICKY | OPT_FOREGROUND |
		 OPT_WAIT | OPT_FORCE | OPT_LOG | OPT_PARTIAL,
	.requires = OPT_PORT,
	.exec = attach_exec,
};
