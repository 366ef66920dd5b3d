/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* The numbers that name the entries of a directory of /proc: pids, descriptors. */
#ifndef HOST_PROC_DIR_H
#define HOST_PROC_DIR_H

#define PROC_DIR_PORTION 4096

/* A directory that is being read, in small portions. */
struct proc_dir {
	int fd; /* -1: not open */
	unsigned int at, len;
	_Alignas(8) char entries[PROC_DIR_PORTION];
};

/* Open the directory. Return 0 or -errno; it is not open then. */
int proc_dir_open(struct proc_dir *dir, const char *path);
void proc_dir_close(struct proc_dir *dir);

/* Return the next number, or -errno: -ENOENT at the end, and once the process has ended. */
long proc_dir_next(struct proc_dir *dir);

/*
 * Go to the first descriptor that is not below "fd", in a directory /proc/PID/fd. There
 * an entry's position is its number + 2, after "." and "..".
 */
void proc_dir_seek_fd(struct proc_dir *dir, int fd);

/* Return the first descriptor that is not below "fd", or -errno, at the cost of a single
 * entry. proc_dir_seek_fd() must follow. */
long proc_dir_first_fd(const struct proc_dir *dir, int fd);

#endif
