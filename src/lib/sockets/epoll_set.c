// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* Epoll sets: whether a process has a socket in one of its sets. */
#include <errno.h>
#include <linux/kcmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "sockets/epoll_set.h"
#include "sockets/owner_list.h"

/* Mark the owners that a line of an epoll set's fdinfo names. The line reads
 * "tfd: 5 events: .. pos:0 ino:1f2a sdev:8". */
static void mark_served(const char *line, struct socket_owner *owners, size_t n)
{
	const char *ino = strstr(line, " ino:");
	uint32_t inode;

	if (strncmp(line, "tfd:", 4) || !ino)
		return;
	inode = strtoul(ino + 5, NULL, 16);
	for (size_t i = 0; i < n; i++)
		if (owners[i].inode == inode)
			owners[i].serves = true;
}

void epoll_set_read(int epfd, struct socket_owner *owners, size_t n)
{
	char path[64], line[256];
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%u/fdinfo/%d", owner_task(owners), epfd);
	file = fopen(path, "re");
	if (!file)
		return;
	while (fgets(line, sizeof(line), file))
		mark_served(line, owners, n);
	fclose(file);
}

int epoll_set_has(int epfd, const struct socket_owner *owner)
{
	struct kcmp_epoll_slot slot = { .efd = epfd, .tfd = owner->fd };
	uint32_t task = owner_task(owner);

	if (!syscall(SYS_kcmp, task, task, KCMP_EPOLL_TFD, owner->fd, &slot))
		return 1;
	return errno == ENOSYS || errno == EINVAL || errno == EOPNOTSUPP ? -errno : 0;
}
