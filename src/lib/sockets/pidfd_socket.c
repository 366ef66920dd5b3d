// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* Duplicate a socket of another process, for a moment (pidfd_getfd). */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "error.h"
#include "host/caps.h"
#include "host/netns_socket.h"
#include "sockets/pidfd_socket.h"
#include "sockets/owner_list.h"

#ifndef SO_COOKIE
#define SO_COOKIE 57
#endif
#ifndef PIDFD_THREAD
#define PIDFD_THREAD O_EXCL
#endif

static int pidfd_get_fd(const struct socket_owner *owner)
{
	int pidfd = syscall(SYS_pidfd_open, owner_task(owner), owner->tid ? PIDFD_THREAD : 0);
	int taken, code;

	if (pidfd < 0)
		return -errno;
	taken = syscall(SYS_pidfd_getfd, pidfd, owner->fd, 0);
	code = errno;
	close(pidfd);
	return taken < 0 ? -code : taken;
}

static bool has_mptcp(int fd)
{
	int protocol = 0;
	socklen_t len = sizeof(protocol);

	return !getsockopt(fd, SOL_SOCKET, SO_PROTOCOL, &protocol, &len) &&
	       protocol == IPPROTO_MPTCP;
}

int pidfd_socket_get(const struct socket_owner *owner, uint64_t cookie, struct reuseport_error *err)
{
	int taken = pidfd_get_fd(owner);
	uint32_t pid = owner->pid;
	uint64_t found = 0;
	socklen_t len = sizeof(found);

	if (taken == -ENOSYS)
		return fail(err, EOPNOTSUPP, PIDFD_SOCKET_UNSUPPORTED);
	if (taken == -EPERM)
		return fail(err, EPERM,
			    "no permission to duplicate a socket of process %u: this needs "
			    "CAP_SYS_PTRACE; %s",
			    pid, caps_advice());
	if (taken == -ESRCH || taken == -EBADF)
		return fail(err, ESTALE, "process %u has closed the socket", pid);
	if (taken == -EINVAL && owner->tid)
		return fail(err, EINVAL,
			    "process %u has the socket in a thread with descriptors of its own, "
			    "which this kernel does not give (Linux 6.9)",
			    pid);
	if (taken < 0)
		return fail(err, -taken, "cannot duplicate a socket of process %u: %s", pid,
			    strerror(-taken));
	if (getsockopt(taken, SOL_SOCKET, SO_COOKIE, &found, &len) || found != cookie) {
		/* The member is a subflow of it, which no process has. */
		bool mptcp = has_mptcp(taken);

		close(taken);
		if (mptcp)
			return fail(err, EPROTONOSUPPORT,
				    "process %u listens with MPTCP, which no program can select",
				    pid);
		return fail(err, ESTALE, "process %u has replaced the socket", pid);
	}
	return taken;
}

static int socket_get_flag(int fd, int option)
{
	int value = 0;
	socklen_t len = sizeof(value);

	return getsockopt(fd, SOL_SOCKET, option, &value, &len) ? -errno : !!value;
}

int socket_has_reuseport(int fd)
{
	return socket_get_flag(fd, SO_REUSEPORT);
}

int socket_has_reuseaddr(int fd)
{
	return socket_get_flag(fd, SO_REUSEADDR);
}

static int socket_get_number(int fd, int level, int option)
{
	int value = 0;
	socklen_t len = sizeof(value);

	return getsockopt(fd, level, option, &value, &len) ? 0 : value;
}

static bool socket_has_name_of(int fd, const struct reuseport_key *key)
{
	struct sockaddr_storage name = { 0 };
	const struct sockaddr_in *v4 = (const void *)&name;
	const struct sockaddr_in6 *v6 = (const void *)&name;
	socklen_t len = sizeof(name);

	if (getsockname(fd, (struct sockaddr *)&name, &len) || name.ss_family != key->family ||
	    (uint32_t)socket_get_number(fd, SOL_SOCKET, SO_BINDTOIFINDEX) != key->ifindex)
		return false;
	if (key->family == AF_INET)
		return ntohs(v4->sin_port) == key->port &&
		       !memcmp(&v4->sin_addr, key->addr, sizeof(v4->sin_addr));
	return ntohs(v6->sin6_port) == key->port &&
	       !memcmp(&v6->sin6_addr, key->addr, sizeof(v6->sin6_addr)) &&
	       !!socket_get_number(fd, IPPROTO_IPV6, IPV6_V6ONLY) == key->v6only;
}

bool socket_is_connected(int fd)
{
	struct sockaddr_storage peer;
	socklen_t len = sizeof(peer);

	return !getpeername(fd, (struct sockaddr *)&peer, &len);
}

void socket_await_lock(int fd)
{
	struct sockaddr_storage name;
	socklen_t len = sizeof(name);

	getsockname(fd, (struct sockaddr *)&name, &len);
}

int socket_matches_key(int fd, const struct reuseport_key *key, const struct netns_ref *ns)
{
	struct stat st;

	/* A socket's owner is the effective uid by which the kernel forms groups. */
	if (key->has_uid && (fstat(fd, &st) || st.st_uid != key->uid))
		return 0;
	return socket_has_name_of(fd, key) ? netns_has_socket(ns, fd) : 0;
}
