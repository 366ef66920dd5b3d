// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/*
 * worker: what reuseport_worker.h promises a server that nothing steers: errors that it may
 * ignore, outputs and times. Needs no capability. Prints TAP.
 */
#include <reuseport_worker.h>

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "check.h"

static int bound(int family, int type)
{
	struct sockaddr_storage any = { .ss_family = (sa_family_t)family };
	socklen_t len = family == AF_INET ? sizeof(struct sockaddr_in) :
					    sizeof(struct sockaddr_in6);
	int fd = socket(family, type | SOCK_CLOEXEC, 0), one = 1;

	if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &one, sizeof(one)) ||
	    bind(fd, (struct sockaddr *)&any, len) || (type == SOCK_STREAM && listen(fd, 1)))
		return -1;
	return fd;
}

/* The errors that a server ignores; before Linux 5.18 the hook has no other than -EPERM. */
static int is_unsteered(int ret)
{
	return ret == -ENOTCONN || ret == -ENOPROTOOPT || ret == -EOPNOTSUPP || ret == -EPERM;
}

static double seconds(void)
{
	struct timespec at;

	clock_gettime(CLOCK_MONOTONIC, &at);
	return (double)at.tv_sec + (double)at.tv_nsec / 1e9;
}

static void nothing_steers(int family, int type)
{
	struct reuseport_worker_sockopt state;
	int fd = bound(family, type);
	double begun = seconds();

	CHECK(fd >= 0);
	CHECK(is_unsteered(reuseport_worker_ready(fd, true)));
	CHECK(is_unsteered(reuseport_worker_ready(fd, false)));
	CHECK(is_unsteered(reuseport_worker_drain(fd, 1)));
	CHECK(is_unsteered(reuseport_worker_set_weight(fd, 2)));
	CHECK(is_unsteered(reuseport_worker_set_id(fd, 3)));
	CHECK(is_unsteered(reuseport_worker_get_state(fd, &state, sizeof(state))));
	/* It is told at once, however long the caller would wait. */
	CHECK(is_unsteered(reuseport_worker_wait(fd, 1, -1)));
	CHECK(is_unsteered(reuseport_worker_wait_drained(fd, 60000)));
	CHECK(seconds() - begun < 10);
	close(fd);
}

static void wrong_arguments(void)
{
	struct reuseport_worker_sockopt state;
	int fds[2], fd = bound(AF_INET, SOCK_DGRAM);

	CHECK(reuseport_worker_ready(-1, true) == -EBADF);
	CHECK(reuseport_worker_wait(-1, 0, 0) == -EBADF);
	CHECK(reuseport_worker_wait_drained(-1, 0) == -EBADF);
	CHECK(!pipe(fds) && reuseport_worker_drain(fds[0], 1) == -ENOTSOCK);
	CHECK(reuseport_worker_get_state(fds[0], &state, sizeof(state)) == -ENOTSOCK);
	CHECK(reuseport_worker_get_state(fd, NULL, sizeof(state)) == -EINVAL);
	CHECK(reuseport_worker_get_state(fd, &state, 3) == -EINVAL);
	close(fds[0]);
	close(fds[1]);
	close(fd);
}

int main(void)
{
	nothing_steers(AF_INET, SOCK_STREAM);
	nothing_steers(AF_INET6, SOCK_STREAM);
	nothing_steers(AF_INET, SOCK_DGRAM);
	nothing_steers(AF_INET6, SOCK_DGRAM);
	wrong_arguments();
	return check_end();
}
