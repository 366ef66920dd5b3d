// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* Stuck keeper: find the process that holds the lock on pins and does not react, and end it. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "api/stuck_keeper.h"
#include "error.h"
#include "fd.h"
#include "host/proc.h"
#include "host/proc_dir.h"

/* What tells the directory from others. */
struct locked_dir {
	char name[128]; /* the last part of its path */
	char lock[64];  /* as /proc shows a lock on it: "00:1f:77" */
};

static int describe_dir(int dir, const char *path, struct locked_dir *locked,
			struct reuseport_error *err)
{
	struct stat st;

	if (fstat(dir, &st))
		return fail(err, errno, "cannot examine %s: %s", path, strerror(errno));
	snprintf(locked->name, sizeof(locked->name), "%s", strrchr(path, '/') + 1);
	snprintf(locked->lock, sizeof(locked->lock), " %02x:%02x:%llu ", major(st.st_dev),
		 minor(st.st_dev), (unsigned long long)st.st_ino);
	return 0;
}

/* Return whether a descriptor is of a file of that name. The kernel knows that by itself: to
 * ask for more, as stat() does, can take for ever with a file system that does not answer. */
static bool is_of_name(const struct proc_dir *fds, long fd, const char *name)
{
	char number[24], link[512];
	const char *last;
	ssize_t len;

	snprintf(number, sizeof(number), "%ld", fd);
	len = readlinkat(fds->fd, number, link, sizeof(link) - 1);
	if (len < 0)
		return false;
	link[len] = '\0';
	last = strrchr(link, '/');
	return last && !strcmp(last + 1, name);
}

/* Return whether a descriptor holds the lock: in its fdinfo there is then a line
 * "lock: 1: FLOCK ADVISORY WRITE 42 00:1f:77 0 EOF". */
static bool holds_lock(uint32_t pid, long fd, const char *lock)
{
	char path[64], line[256];
	bool holds = false;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%u/fdinfo/%ld", pid, fd);
	file = fopen(path, "re");
	if (!file)
		return false;
	while (!holds && fgets(line, sizeof(line), file))
		holds = !strncmp(line, "lock:", 5) && strstr(line, "FLOCK") && strstr(line, lock);
	fclose(file);
	return holds;
}

static bool process_holds(uint32_t pid, const struct locked_dir *locked)
{
	struct proc_dir fds;
	char path[32];
	bool holds = false;
	long fd;

	snprintf(path, sizeof(path), "/proc/%u/fd", pid);
	if (proc_dir_open(&fds, path))
		return false;
	while (!holds && (fd = proc_dir_next(&fds)) >= 0)
		holds = is_of_name(&fds, fd, locked->name) && holds_lock(pid, fd, locked->lock);
	proc_dir_close(&fds);
	return holds;
}

/* Return the pid of another process that holds the lock, or 0. It is looked for in /proc,
 * because the pins that name the keeper may be damaged. */
static uint32_t find_holder(const struct locked_dir *locked)
{
	struct proc_dir processes;
	uint32_t found = 0;
	long pid;

	if (proc_dir_open(&processes, "/proc"))
		return 0;
	while (!found && (pid = proc_dir_next(&processes)) >= 0)
		if (pid != getpid() && process_holds(pid, locked))
			found = pid;
	proc_dir_close(&processes);
	return found;
}

int stuck_keeper_end(int dir, const char *path, struct reuseport_error *err)
{
	struct locked_dir locked;
	char comm[16];
	uint32_t pid;
	int pidfd, ret = describe_dir(dir, path, &locked, err);

	if (ret)
		return ret;
	pid = find_holder(&locked);
	pidfd = pid ? syscall(SYS_pidfd_open, pid, 0) : -1;
	if (pidfd < 0)
		return 0;
	proc_comm(pid, comm);
	if (strcmp(comm, REUSEPORT_KEEPER_NAME))
		ret = fail(
			err, EBUSY,
			"process %u (%s) keeps %s and does not release it: end the process first",
			pid, comm, path);
	else
		syscall(SYS_pidfd_send_signal, pidfd, SIGKILL, NULL, 0);
	fd_close(pidfd);
	return ret;
}
