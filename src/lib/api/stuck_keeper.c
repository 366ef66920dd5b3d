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

#include <reuseport_isolate.h>

#include "api/stuck_keeper.h"
#include "error.h"
#include "fd.h"
#include "host/look.h"
#include "host/proc.h"
#include "host/proc_dir.h"
#include "state/pins.h"
#include "state/pins_root.h"

/* What tells a lock from others, as /proc shows it. */
struct shown_lock {
	char name[128]; /* the last part of the path of what is locked */
	const char *type;
	char where[96]; /* " 00:1f:77 ", and the range */
};

/* A keeper of one attachment locks its directory, the host's keeper a range of the one above:
 * see state/root_lock.h. */
struct locked_dir {
	struct shown_lock own, above;
};

static int describe_dir(int dir, const char *path, struct locked_dir *locked,
			struct reuseport_error *err)
{
	unsigned long long inode;
	struct stat st, above;

	if (fstat(dir, &st) || fstatat(dir, "..", &above, 0))
		return fail(err, errno, "cannot examine %s: %s", path, strerror(errno));
	inode = st.st_ino;
	*locked = (struct locked_dir){ .own.type = "FLOCK", .above.type = "OFDLCK" };
	snprintf(locked->own.name, sizeof(locked->own.name), "%s", pins_name_in(path));
	snprintf(locked->own.where, sizeof(locked->own.where), " %02x:%02x:%llu ", major(st.st_dev),
		 minor(st.st_dev), inode);
	snprintf(locked->above.name, sizeof(locked->above.name), "%s", PINS_ROOT);
	snprintf(locked->above.where, sizeof(locked->above.where), " %02x:%02x:%llu %llu %llu\n",
		 major(above.st_dev), minor(above.st_dev), (unsigned long long)above.st_ino, inode,
		 inode);
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
static bool holds_lock(uint32_t pid, long fd, const struct shown_lock *lock)
{
	char path[64], line[256];
	bool holds = false;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%u/fdinfo/%ld", pid, fd);
	file = fopen(path, "re");
	if (!file)
		return false;
	while (!holds && fgets(line, sizeof(line), file))
		holds = !strncmp(line, "lock:", 5) && strstr(line, lock->type) &&
			strstr(line, lock->where);
	fclose(file);
	return holds;
}

/* Return whether a descriptor is what is locked, and holds the lock. */
static bool holds_by(const struct proc_dir *fds, uint32_t pid, long fd,
		     const struct shown_lock *lock)
{
	return is_of_name(fds, fd, lock->name) && holds_lock(pid, fd, lock);
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
		holds = holds_by(&fds, pid, fd, &locked->own) ||
			holds_by(&fds, pid, fd, &locked->above);
	proc_dir_close(&fds);
	return holds;
}

/* Who holds the lock. */
struct lock_holder {
	uint32_t pid; /* 0: nobody */
	char comm[16];
};

/* Without isolation only a process of this one's user is looked at, as a keeper is. */
static bool may_look_at(struct look_report *report, const struct proc_dir *processes, uint32_t pid)
{
	struct stat st;
	char name[16];

	uint32_t self = look_is_isolated(report) ? getppid() : getpid();

	if (pid == self || !look_at(report, pid))
		return false;
	snprintf(name, sizeof(name), "%u", pid);
	return look_is_isolated(report) ||
	       (!fstatat(processes->fd, name, &st, 0) && st.st_uid == geteuid());
}

/* Look for the holder, a helper only if there is no other: one that was just forked has its
 * parent's lock. It is looked for in /proc, because the pins that name the keeper may be damaged.
 */
static int look_for_holder(struct look_report *report, void *arg)
{
	const struct locked_dir *locked = arg;
	struct lock_holder holder = { 0 };
	struct proc_dir processes;
	int ret = proc_dir_open(&processes, "/proc");
	bool keeps = false;
	long pid;

	if (ret)
		return ret;
	while (!keeps && (pid = proc_dir_next(&processes)) >= 0) {
		if (!may_look_at(report, &processes, pid) || !process_holds(pid, locked))
			continue;
		holder.pid = pid;
		proc_comm(pid, holder.comm);
		keeps = strcmp(holder.comm, REUSEPORT_LOOK_NAME);
	}
	proc_dir_close(&processes);
	return holder.pid ? look_tell(report, &holder) : 0;
}

static void take_holder(void *ctx, const void *record)
{
	memcpy(ctx, record, sizeof(struct lock_holder));
}

int stuck_keeper_end(int dir, const char *path, struct reuseport_error *err)
{
	struct lock_holder holder = { 0 };
	struct locked_dir locked;
	const struct look_job job = { .run = look_for_holder,
				      .arg = &locked,
				      .record = sizeof(holder),
				      .take = take_holder,
				      .ctx = &holder };
	int pidfd, ret = describe_dir(dir, path, &locked, err);

	if (ret)
		return ret;
	look_run(&job);
	pidfd = holder.pid ? syscall(SYS_pidfd_open, holder.pid, 0) : -1;
	if (pidfd < 0)
		return 0;
	if (strcmp(holder.comm, REUSEPORT_KEEPER_NAME) && strcmp(holder.comm, REUSEPORT_LOOK_NAME))
		ret = fail(
			err, EBUSY,
			"process %u (%s) keeps %s and does not release it: end the process first",
			holder.pid, holder.comm, path);
	else
		syscall(SYS_pidfd_send_signal, pidfd, SIGKILL, NULL, 0);
	fd_close(pidfd);
	return ret;
}
