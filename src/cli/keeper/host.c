// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* Host: the process that keeps all attachments. */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <syslog.h>
#include <unistd.h>

#include "exit.h"
#include "isolate.h"
#include "keeper/host.h"
#include "keeper/leave_netns.h"
#include "keeper/notify.h"
#include "keeper/wait.h"
#include "privileges.h"

#define FIRST_ROUNDS 10000 /* of work, before it is said to be ready */

int host_prepare(void)
{
	struct rlimit files;

	if (!getrlimit(RLIMIT_NOFILE, &files)) {
		files.rlim_cur = files.rlim_max;
		if (setrlimit(RLIMIT_NOFILE, &files))
			errno = 0; /* it goes on with fewer */
	}
	leave_netns();
	return privileges_keep(PRIVILEGES_KEEPER);
}

static int host_open_signals(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGHUP);
	sigprocmask(SIG_BLOCK, &set, NULL);
	return signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
}

/* Take the signals. Return whether to go on. */
static bool host_take_signals(int signals, struct log_files *logs)
{
	struct signalfd_siginfo signal;

	while (read(signals, &signal, sizeof(signal)) == sizeof(signal)) {
		if (signal.ssi_signo != SIGHUP)
			return false;
		log_files_reopen(logs);
	}
	return true;
}

/* Do what there is to do. Return whether to go on. */
static bool host_process(struct reuseport_keeper *keeper, struct log_files *logs, int *status)
{
	struct reuseport_error error;
	int ret = reuseport_keeper__process(keeper, &error);

	if (ret >= 0)
		return true;
	log_line(&logs->other, ret == -ESHUTDOWN ? LOG_INFO : LOG_ERR, error.text);
	*status = ret == -ESHUTDOWN ? EXIT_DONE : EXIT_FAILED;
	return false;
}

static int host_loop(struct reuseport_keeper *keeper, struct log_files *logs, int signals,
		     int supervisor)
{
	struct pollfd fds[] = { { .fd = reuseport_keeper__fd(keeper), .events = POLLIN },
				{ .fd = signals, .events = POLLIN } };
	int status = EXIT_DONE, rounds = 0, ready;
	bool told = false;

	for (;;) {
		ready = keeper_wait(fds, 2, told ? -1 : 0);
		if (!told && (!ready || ++rounds == FIRST_ROUNDS)) {
			notify_send(supervisor, "READY=1\nSTATUS=following the workers");
			told = true;
		}
		if (ready > 0 && fds[1].revents && !host_take_signals(signals, logs))
			return EXIT_DONE;
		if (ready > 0 && fds[0].revents && !host_process(keeper, logs, &status))
			return status;
	}
}

int host_run(struct reuseport_keeper *keeper, struct log_files *logs, int supervisor)
{
	int signals = host_open_signals(), status = EXIT_FAILED;

	isolate_use_log(&logs->other);
	if (signals >= 0)
		status = host_loop(keeper, logs, signals, supervisor);
	notify_send(supervisor, "STOPPING=1");
	reuseport_keeper__free(keeper);
	log_files_close(logs);
	if (signals >= 0)
		close(signals);
	return status;
}
