// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* Left behind: the keeper that attach starts, where none runs. It has nothing of its caller:
 * no session, no cgroup, no limits, no terminal, no working directory, no network or mount
 * namespace. */
#include <errno.h>
#include <fcntl.h>
#include <mntent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <syslog.h>
#include <unistd.h>

#include "exit.h"
#include "keeper/host.h"
#include "keeper/leave_limits.h"
#include "keeper/leave_mounts.h"
#include "process_title.h"
#include "standard_fds.h"

/* Move to the root of each hierarchy of cgroups: the service manager ends what is left in the
 * one of the caller. */
static void leave_cgroups(void)
{
	FILE *mounts = setmntent("/proc/self/mounts", "re");
	const struct mntent *mount;
	char path[512];
	int fd;

	while (mounts && (mount = getmntent(mounts))) {
		if (strcmp(mount->mnt_type, "cgroup") && strcmp(mount->mnt_type, "cgroup2"))
			continue;
		snprintf(path, sizeof(path), "%s/cgroup.procs", mount->mnt_dir);
		fd = open(path, O_WRONLY | O_CLOEXEC);
		if (fd < 0)
			continue;
		if (write(fd, "0", 1) != 1)
			errno = 0; /* it stays there */
		close(fd);
	}
	if (mounts)
		endmntent(mounts);
}

static void go_to_background(void)
{
	prctl(PR_SET_NAME, REUSEPORT_KEEPER_NAME);
	process_title_set("reuseportctl keeper (left behind by attach)");
	unsetenv("NOTIFY_SOCKET");
	setsid();
	leave_mounts();
	if (chdir("/"))
		errno = 0; /* the process keeps its working directory */
	leave_cgroups();
	leave_limits();
	standard_fds_to_null();
}

/* Tell the command what came of it: nothing, or why there is no keeper. */
static void tell_command(int to, const char *text)
{
	if (write(to, text, strlen(text)) < 0)
		errno = 0; /* the command has ended */
	close(to);
}

static int run_left_behind(int to)
{
	struct log_files logs = { .other = { .fd = -1, .max_level = LOG_INFO } };
	REUSEPORT_OPTS(reuseport_keeper_opts, opts, .log = log_files_line, .log_ctx = &logs);
	struct reuseport_keeper *keeper;
	struct reuseport_error error;
	int ret;

	go_to_background();
	if (host_prepare() != EXIT_DONE) {
		tell_command(to, "it cannot give up privileges");
		return EXIT_FAILED;
	}
	ret = reuseport_keeper_open(&opts, &keeper, &error);
	/* Another attach has left one behind at the same time. */
	tell_command(to, ret && ret != -EBUSY ? error.text : "");
	if (ret)
		return ret == -EBUSY ? EXIT_DONE : EXIT_FAILED;
	return host_run(keeper, &logs, -1);
}

pid_t host_leave_behind(bool *ended, int *status, struct reuseport_error *err)
{
	char text[sizeof(err->text)] = "";
	size_t len = 0;
	ssize_t got;
	int ends[2];
	pid_t pid;

	*ended = false;
	fflush(stdout);
	pid = pipe2(ends, O_CLOEXEC) ? -1 : fork();
	if (pid < 0) {
		snprintf(err->text, sizeof(err->text), "cannot start a keeper: %s",
			 strerror(errno));
		return -EIO;
	}
	if (!pid) {
		close(ends[0]);
		*ended = true;
		*status = run_left_behind(ends[1]);
		return 0;
	}
	close(ends[1]);
	while ((got = read(ends[0], text + len, sizeof(text) - 1 - len)) > 0)
		len += got;
	close(ends[0]);
	snprintf(err->text, sizeof(err->text), "cannot start a keeper: %.350s", text);
	return *text ? -EIO : pid;
}
