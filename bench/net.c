// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* A network namespace of our own, reuseport groups and clients on its loopback. */
#include "net.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

static const struct sockaddr_in group_address = {
	.sin_family = AF_INET,
	.sin_port = __builtin_bswap16(BENCH_PORT),
	.sin_addr = { __builtin_bswap32(INADDR_LOOPBACK) },
};

static int own_namespace = -1; /* after net__enter_own() */

static int failed(const char *what)
{
	int err = errno;

	fprintf(stderr, "bench: %s: %s\n", what, strerror(err));
	return -err;
}

static int closed(int fd, int err)
{
	close(fd);
	return err;
}

int net__enter_own(void)
{
	struct ifreq request = { .ifr_name = "lo", .ifr_flags = IFF_UP };
	int fd;

	if (unshare(CLONE_NEWNET))
		return failed("a new network namespace (root is needed)");
	fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return failed("socket");
	if (ioctl(fd, SIOCSIFFLAGS, &request))
		return closed(fd, failed("loopback up"));
	close(fd);
	own_namespace = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
	return own_namespace < 0 ? failed("/proc/self/ns/net") : 0;
}

static int enter(int fd)
{
	return setns(fd, CLONE_NEWNET) ? failed("setns") : 0;
}

int net__enter_of(int pid)
{
	char path[64];
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/ns/net", pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	return fd < 0 ? failed(path) : closed(fd, enter(fd));
}

int net__return(void)
{
	return enter(own_namespace);
}

int net__pin_to_one_cpu(void)
{
	cpu_set_t set;
	int cpu = CPU_SETSIZE - 1;

	if (sched_getaffinity(0, sizeof(set), &set))
		return failed("sched_getaffinity");
	while (cpu > 0 && !CPU_ISSET(cpu, &set))
		cpu--;
	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	if (sched_setaffinity(0, sizeof(set), &set))
		return failed("sched_setaffinity");
	return 0;
}

int net__reuseport_socket(int type)
{
	int fd = socket(AF_INET, type | SOCK_CLOEXEC, 0), one = 1;

	if (fd < 0)
		return failed("socket");
	if (setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &one, sizeof(one)))
		return closed(fd, failed("SO_REUSEPORT"));
	return fd;
}

int net__bind_port(int fd, int port)
{
	struct sockaddr_in to = group_address;

	to.sin_port = htons((uint16_t)port);
	return bind(fd, (const struct sockaddr *)&to, sizeof(to)) ? failed("bind") : 0;
}

int net__bind(int fd)
{
	return net__bind_port(fd, BENCH_PORT);
}

int net__listen(int fd)
{
	return listen(fd, 4096) ? failed("listen") : 0;
}

int net__member_on(int type, int port)
{
	int fd = net__reuseport_socket(type), err;

	if (fd < 0)
		return fd;
	err = net__bind_port(fd, port);
	if (!err && (type & SOCK_STREAM))
		err = net__listen(fd);
	return err ? closed(fd, err) : fd;
}

int net__member(int type)
{
	return net__member_on(type, BENCH_PORT);
}

int net__client(int type)
{
	int fd = socket(AF_INET, type | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return failed("socket");
	if (!connect(fd, (const struct sockaddr *)&group_address, sizeof(group_address)))
		return fd;
	return closed(fd, errno == ECONNRESET ? -errno : failed("connect"));
}

void net__reset(int fd)
{
	struct linger now = { .l_onoff = 1 };

	setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof(now));
	close(fd);
}
