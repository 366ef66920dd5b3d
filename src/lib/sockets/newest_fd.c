// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* Newest descriptors: look for a socket in one process. */
#include <errno.h>
#include <stdbool.h>

#include "host/proc_dir.h"
#include "sockets/newest_fd.h"
#include "sockets/proc_fd.h"

#define WINDOW 256 /* of descriptor numbers */
#define NEAR_FDS 8 /* a server makes its sockets one after the other */
#define FD_LIMIT (1 << 30)

/* Return a multiple of WINDOW that is above every descriptor, by bisection. */
static int fds_end(const struct proc_dir *fds)
{
	int low = 0, high = WINDOW;

	while (high < FD_LIMIT && proc_dir_first_fd(fds, high) >= 0) {
		low = high;
		high *= 2;
	}
	while (high - low > WINDOW) {
		int middle = low + (high - low) / 2;

		if (proc_dir_first_fd(fds, middle) >= 0)
			low = middle;
		else
			high = middle;
	}
	return high;
}

static bool fd_is_socket(const struct proc_dir *fds, int fd, uint32_t inode)
{
	uint32_t found;

	return proc_fd_read(fds, fd, &found) == PROC_FD_SOCKET && found == inode;
}

/* Search a window of descriptors from the highest to the lowest. Return the one that is
 * the socket, or -1. */
static int find_in_window(struct proc_dir *fds, int window, uint32_t inode)
{
	int list[WINDOW], n = 0;
	long fd;

	proc_dir_seek_fd(fds, window);
	while (n < WINDOW && (fd = proc_dir_next(fds)) >= 0 && fd < window + WINDOW)
		list[n++] = fd;
	while (n-- > 0)
		if (fd_is_socket(fds, list[n], inode))
			return list[n];
	return -1;
}

static int find_newest(struct proc_dir *fds, int near, uint32_t inode)
{
	int end, fd;

	for (fd = near; near >= 0 && fd < near + NEAR_FDS; fd++)
		if (fd_is_socket(fds, fd, inode))
			return fd;
	end = fds_end(fds);
	fd = find_in_window(fds, end - WINDOW, inode);
	if (fd < 0 && end > 2 * WINDOW)
		fd = find_in_window(fds, end - 2 * WINDOW, inode);
	/* A new descriptor has the lowest number that is free. */
	if (fd < 0 && end > WINDOW)
		fd = find_in_window(fds, 0, inode);
	return fd;
}

int newest_fd_find(uint32_t inode, uint32_t pid, int near)
{
	struct proc_dir fds;
	int fd = proc_fds_open(pid, &fds);

	if (fd)
		return fd;
	fd = find_newest(&fds, near, inode);
	proc_dir_close(&fds);
	return fd < 0 ? -ENOENT : fd;
}
