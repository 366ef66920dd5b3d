// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* The network namespace of a socket, read on a descriptor of it. */
#include <errno.h>
#include <linux/sockios.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "host/netns_socket.h"

#ifndef SO_NETNS_COOKIE
#define SO_NETNS_COOKIE 71
#endif

/* Compare inode and device with those of the namespace: it is a file like this process's. */
static int is_namespace(int fd, const struct netns_ref *ref)
{
	struct stat found, own;

	if (fstat(fd, &found) || stat("/proc/thread-self/ns/net", &own))
		return -errno;
	return found.st_ino == ref->inode && found.st_dev == own.st_dev;
}

int netns_has_socket(const struct netns_ref *ref, int socket)
{
	uint64_t cookie = 0;
	socklen_t len = sizeof(cookie);
	int fd, ret;

	if (ref->cookie && !getsockopt(socket, SOL_SOCKET, SO_NETNS_COOKIE, &cookie, &len))
		return cookie == ref->cookie;
	fd = ioctl(socket, SIOCGSKNS);
	if (fd < 0)
		return -errno;
	ret = is_namespace(fd, ref);
	close(fd);
	return ret;
}

int netns_of_socket(int socket, uint64_t *inode)
{
	int fd = ioctl(socket, SIOCGSKNS), ret = 0;
	struct stat st;

	if (fd < 0)
		return -errno;
	if (fstat(fd, &st))
		ret = -errno;
	else
		*inode = st.st_ino;
	close(fd);
	return ret;
}
