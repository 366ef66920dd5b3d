// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* The descriptors of a process, as /proc/PID/fd shows them. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "host/proc_dir.h"
#include "sockets/proc_fd.h"

int proc_fds_open(uint32_t pid, struct proc_dir *fds)
{
	char path[32];

	snprintf(path, sizeof(path), "/proc/%u/fd", pid);
	return proc_dir_open(fds, path);
}

int proc_fd_read(const struct proc_dir *fds, int fd, uint32_t *inode)
{
	char name[16], link[64];
	ssize_t len;

	snprintf(name, sizeof(name), "%d", fd);
	len = readlinkat(fds->fd, name, link, sizeof(link) - 1);
	if (len < 0)
		return -errno;
	link[len] = '\0';
	if (!strcmp(link, "anon_inode:[eventpoll]"))
		return PROC_FD_EPOLL;
	if (!strcmp(link, "anon_inode:[io_uring]"))
		return PROC_FD_IO_URING;
	if (strncmp(link, "socket:[", 8))
		return PROC_FD_OTHER;
	*inode = strtoul(link + 8, NULL, 10);
	return PROC_FD_SOCKET;
}
