// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* Keeper: a process in the foreground that follows the workers of some groups. */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/signalfd.h>
#include <syslog.h>
#include <unistd.h>

#include "exit.h"
#include "isolate.h"
#include "keeper/keeper.h"
#include "keeper/leave_netns.h"
#include "keeper/notify.h"
#include "keeper/wait.h"
#include "privileges.h"

static int open_signals(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigprocmask(SIG_BLOCK, &set, NULL);
	return signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
}

static bool has_signal(int signals)
{
	struct signalfd_siginfo signal;

	return read(signals, &signal, sizeof(signal)) == sizeof(signal);
}

/* Process what happened in the group. Return whether the group still needs a keeper. */
static bool process_group(struct reuseport_group *group, struct log *log)
{
	struct reuseport_error error;
	int ret = reuseport_group__process(group, &error);
	bool over = ret == -ESHUTDOWN || ret == -ENETDOWN;

	if (ret < 0)
		log_line(log, over ? LOG_NOTICE : LOG_ERR, error.text);
	return !over;
}

static size_t count_groups(struct reuseport_group *const *groups, size_t n)
{
	size_t count = 0;

	for (size_t i = 0; i < n; i++)
		count += groups[i] != NULL;
	return count;
}

static void run_loop(struct reuseport_group **groups, size_t n, int signals, struct pollfd *fds,
		     struct log *log)
{
	while (count_groups(groups, n)) {
		for (size_t i = 0; i < n; i++)
			fds[i] = (struct pollfd){
				.fd = groups[i] ? reuseport_group__fd(groups[i]) : -1,
				.events = POLLIN,
			};
		fds[n] = (struct pollfd){ .fd = signals, .events = POLLIN };
		keeper_wait(fds, n + 1, -1);
		if (fds[n].revents && has_signal(signals))
			return;
		for (size_t i = 0; i < n; i++) {
			if (!fds[i].revents || process_group(groups[i], log))
				continue;
			reuseport_group__free(groups[i]);
			groups[i] = NULL;
		}
	}
}

/* Record this process as the keeper of every group. */
static int keep_groups(struct reuseport_group **groups, size_t n, struct log *log)
{
	struct reuseport_error error;
	uint64_t own = 0;

	reuseport_netns(NULL, &own, NULL);
	for (size_t i = 0; i < n; i++) {
		if (reuseport_group__keep(groups[i], &error)) {
			log_line(log, LOG_ERR, error.text);
			return EXIT_FAILED;
		}
		if (reuseport_group__key(groups[i])->netns == own)
			leave_netns();
	}
	return EXIT_DONE;
}

int keeper_run(struct reuseport_group **groups, size_t n, struct log *log)
{
	struct pollfd *fds = calloc(n + 1, sizeof(*fds));
	int signals = open_signals(), supervisor = notify_open(), status = EXIT_FAILED;

	log->never_waits = true;
	isolate_use_log(log);
	if (fds && signals >= 0)
		status = privileges_keep(PRIVILEGES_KEEPER);
	if (status == EXIT_DONE)
		status = keep_groups(groups, n, log);
	if (status == EXIT_DONE) {
		notify_send(supervisor, "READY=1\nSTATUS=following the workers");
		run_loop(groups, n, signals, fds, log);
		notify_send(supervisor, "STOPPING=1");
	}
	for (size_t i = 0; i < n; i++) {
		reuseport_group__free(groups[i]);
		groups[i] = NULL;
	}
	if (signals >= 0)
		close(signals);
	if (supervisor >= 0)
		close(supervisor);
	free(fds);
	return status;
}
