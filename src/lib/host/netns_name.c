// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/*
 * The names of network namespaces. Whatever is in the directory, to look at it does not wait:
 * a FIFO is not opened, and a link into /proc is not followed, since the directory of a process
 * can be held by that process.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <linux/nsfs.h>
#include <poll.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "fd.h"
#include "host/look.h"
#include "host/netns_name.h"

#define WARNED_MAX 16
#define BEING_MADE_MS 20 /* "ip netns" makes a file first, and removes it last */

static int open_entry(const char *name, int flags)
{
	char path[512];
	int fd;

	snprintf(path, sizeof(path), NETNS_NAMED_DIR "/%s", name);
	fd = open(path, O_PATH | O_CLOEXEC | flags);
	return fd < 0 ? -errno : fd;
}

/* Return whether the entry is a link to the namespace of a process. */
static bool links_to_process(int entry, uint32_t *pid)
{
	char to[64];
	ssize_t len = readlinkat(entry, "", to, sizeof(to) - 1);

	if (len < 0)
		return false;
	to[len] = '\0';
	*pid = 0;
	if (sscanf(to, "/proc/%u/", pid) == 1)
		return true;
	return !strncmp(to, "/proc/", 6);
}

/* Open what the entry is for real, if it is a network namespace. Closes the entry. */
static int open_namespace(int entry)
{
	char path[64];
	struct statfs fs;
	int fd;

	if (fstatfs(entry, &fs) || fs.f_type != NSFS_MAGIC) {
		close(entry);
		return -ENOTTY;
	}
	snprintf(path, sizeof(path), "/proc/self/fd/%d", entry);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		fd = -errno;
	close(entry);
	if (fd < 0 || ioctl(fd, NS_GET_NSTYPE) == CLONE_NEWNET)
		return fd;
	close(fd);
	return -ENOTTY;
}

int netns_name_open(const char *name, uint32_t *pid)
{
	int entry = open_entry(name, O_NOFOLLOW);
	struct stat st;

	*pid = 0;
	if (entry >= 0 && !fstat(entry, &st) && S_ISLNK(st.st_mode)) {
		if (links_to_process(entry, pid)) {
			close(entry);
			return *pid ? -EXDEV : -ENOTTY;
		}
		close(entry);
		entry = open_entry(name, 0);
	}
	if (entry >= 0)
		return open_namespace(entry);
	return entry == -ELOOP || entry == -ENOTDIR ? -ENOTTY : entry;
}

/* Return whether it is the first time, as far as that is remembered. */
static bool is_news(const struct stat *st)
{
	static struct {
		dev_t dev;
		ino_t ino;
	} warned[WARNED_MAX];
	static size_t n;

	for (size_t i = 0; i < n; i++)
		if (warned[i].dev == st->st_dev && warned[i].ino == st->st_ino)
			return false;
	if (n == WARNED_MAX)
		return false;
	warned[n].dev = st->st_dev;
	warned[n++].ino = st->st_ino;
	return true;
}

/* Return whether "ip netns" has made it, to mount a namespace on it. A process that has another
 * view of the mounts, as in a container, finds only that. */
static bool is_mount_point(const struct stat *st)
{
	return S_ISREG(st->st_mode) && !(st->st_mode & 07777) && !st->st_size && !st->st_uid;
}

void netns_name_warn(const char *name)
{
	char line[400];
	struct stat st;
	int entry = open_entry(name, O_NOFOLLOW), fd;
	bool there = entry >= 0 && !fstat(entry, &st);
	uint32_t pid;

	fd_close(entry);
	if (!there || is_mount_point(&st) || !is_news(&st))
		return;
	poll(NULL, 0, BEING_MADE_MS);
	fd = netns_name_open(name, &pid);
	fd_close(fd);
	if (fd != -ENOTTY)
		return;
	snprintf(line, sizeof(line), NETNS_NAMED_DIR "/%s is no network namespace: skipped", name);
	look_warn(line);
}
