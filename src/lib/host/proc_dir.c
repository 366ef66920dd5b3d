// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* The numbers that name the entries of a directory of /proc: pids, descriptors. */
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "fd.h"
#include "host/proc_dir.h"

#define FIRST_FD_POSITION 2
#define ONE_ENTRY 32 /* bytes; room for a number of 10 digits */

int proc_dir_open(struct proc_dir *dir, const char *path)
{
	dir->at = dir->len = 0;
	dir->fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return dir->fd < 0 ? -errno : 0;
}

void proc_dir_close(struct proc_dir *dir)
{
	fd_close(dir->fd);
	dir->fd = -1;
}

/* Read a portion. Return its length or -errno: -ENOENT at the end. */
static int read_entries(int fd, char *entries, unsigned int size)
{
	ssize_t len = getdents64(fd, entries, size);

	if (len < 0)
		return -errno;
	return len ? (int)len : -ENOENT;
}

/* Return the number of the next entry in a portion, -1 after its last one. */
static long next_in_portion(const char *entries, unsigned int *at, unsigned int len)
{
	while (*at < len) {
		const struct dirent64 *entry = (const void *)(entries + *at);

		*at += entry->d_reclen;
		if (isdigit((unsigned char)entry->d_name[0]))
			return strtol(entry->d_name, NULL, 10);
	}
	return -1;
}

long proc_dir_next(struct proc_dir *dir)
{
	long number;
	int len;

	while ((number = next_in_portion(dir->entries, &dir->at, dir->len)) < 0) {
		len = read_entries(dir->fd, dir->entries, sizeof(dir->entries));
		if (len < 0)
			return len;
		dir->at = 0;
		dir->len = len;
	}
	return number;
}

void proc_dir_seek_fd(struct proc_dir *dir, int fd)
{
	dir->at = dir->len = 0;
	/* It cannot fail; if it did, other descriptors would be read. */
	if (lseek(dir->fd, (off_t)fd + FIRST_FD_POSITION, SEEK_SET) < 0)
		errno = 0;
}

long proc_dir_first_fd(const struct proc_dir *dir, int fd)
{
	_Alignas(8) char entry[ONE_ENTRY];
	unsigned int at = 0;
	int len;

	if (lseek(dir->fd, (off_t)fd + FIRST_FD_POSITION, SEEK_SET) < 0)
		return -errno;
	len = read_entries(dir->fd, entry, sizeof(entry));
	return len < 0 ? len : next_in_portion(entry, &at, len);
}
