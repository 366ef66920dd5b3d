/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* The descriptors of a process, as /proc/PID/fd shows them. */
#ifndef SOCKETS_PROC_FD_H
#define SOCKETS_PROC_FD_H

#include <stdint.h>

enum proc_fd_kind { PROC_FD_OTHER, PROC_FD_SOCKET, PROC_FD_EPOLL, PROC_FD_IO_URING };

/* Open the directory of a process's descriptors. Return 0 or -errno. */
struct proc_dir;
int proc_fds_open(uint32_t pid, struct proc_dir *fds);

/* Return what a descriptor is, or -errno; *inode receives that of a socket. */
int proc_fd_read(const struct proc_dir *fds, int fd, uint32_t *inode);

#endif
