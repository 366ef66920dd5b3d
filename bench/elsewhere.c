// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* What other servers on the host pay: CPU time of their binds and connections. */
#include "elsewhere.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "net.h"
#include "stats.h"

#define TURNS 50
#define PORT (BENCH_PORT + 1000) /* nobody's */

static int listeners[2] = { -1, -1 }; /* inet, unix */
static const struct sockaddr_un unix_address = {
	.sun_family = AF_UNIX, .sun_path = "\0reuseport-bpf-bench", /* in this namespace only */
};

/* -------------------------------------------------------------------- jobs */

/* The sockets, with SO_REUSEPORT, are made beforehand: that is not what is measured. */
static int prepare_sockets(int *fds, size_t n, int type)
{
	for (size_t i = 0; i < n; i++) {
		fds[i] = net__reuseport_socket(type);
		if (fds[i] < 0)
			return fds[i];
	}
	return 0;
}

static int prepare_udp(int *fds, size_t n)
{
	return prepare_sockets(fds, n, SOCK_DGRAM);
}

static int prepare_tcp(int *fds, size_t n)
{
	return prepare_sockets(fds, n, SOCK_STREAM);
}

static int bind_close(int fd)
{
	int err = net__bind_port(fd, PORT);

	close(fd);
	return err;
}

static int listen_close(int fd)
{
	int err = net__bind_port(fd, PORT);

	if (!err)
		err = net__listen(fd);
	close(fd);
	return err;
}

static int connect_close(int listener, const struct sockaddr *to, socklen_t size)
{
	int fd = socket(to->sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0), accepted = -1;

	if (fd >= 0 && !connect(fd, to, size))
		accepted = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
	if (accepted < 0) {
		perror("bench: a connection");
		return -EIO;
	}
	close(fd);
	close(accepted);
	return 0;
}

static int connect_tcp(int fd)
{
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons(PORT + 1) };

	(void)fd;
	to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	return connect_close(listeners[0], (const struct sockaddr *)&to, sizeof(to));
}

static int connect_unix(int fd)
{
	(void)fd;
	return connect_close(listeners[1], (const struct sockaddr *)&unix_address,
			     sizeof(unix_address));
}

#define MOST 1000

/* The last one is what the others are compared with. */
static const struct job {
	const char *name;
	size_t times; /* in a turn, which takes some milliseconds */
	int (*prepare)(int *fds, size_t n);
	int (*once)(int fd);
} jobs[ELSEWHERE_JOBS + 1] = {
	[ELSEWHERE_BIND] = { "udp_bind_close", MOST, prepare_udp, bind_close },
	[ELSEWHERE_LISTEN] = { "tcp_listen_close", MOST / 2, prepare_tcp, listen_close },
	[ELSEWHERE_CONNECTION] = { "tcp_connection", 150, NULL, connect_tcp },
	[ELSEWHERE_JOBS] = { "unix connection", 300, NULL, connect_unix },
};

const char *elsewhere__name(enum elsewhere_job job)
{
	return jobs[job].name;
}

/* ------------------------------------------------------------------- turns */

static int take_turn(const struct job *job, double *ns)
{
	static int fds[MOST];
	int err = job->prepare ? job->prepare(fds, job->times) : 0;
	uint64_t since = now_ns(CLOCK_PROCESS_CPUTIME_ID);

	for (size_t i = 0; !err && i < job->times; i++)
		err = job->once(fds[i]);
	*ns = (double)(now_ns(CLOCK_PROCESS_CPUTIME_ID) - since) / (double)job->times;
	return err;
}

int elsewhere__measure(struct elsewhere_cost cost[ELSEWHERE_JOBS])
{
	double ns[ELSEWHERE_JOBS + 1][TURNS], relative[ELSEWHERE_JOBS][TURNS];
	int err = 0;

	for (size_t turn = 0; !err && turn < TURNS; turn++) {
		for (size_t job = 0; !err && job <= ELSEWHERE_JOBS; job++)
			err = take_turn(&jobs[job], &ns[job][turn]);
		for (size_t job = 0; job < ELSEWHERE_JOBS; job++)
			relative[job][turn] = ns[job][turn] / ns[ELSEWHERE_JOBS][turn];
	}
	for (size_t job = 0; !err && job < ELSEWHERE_JOBS; job++)
		cost[job] = (struct elsewhere_cost){ .ns = median(ns[job], TURNS),
						     .relative = median(relative[job], TURNS) };
	return err;
}

/* Else connections that are over would use up the ports for a minute. */
static int forget_connections(void)
{
	int fd = open("/proc/sys/net/ipv4/tcp_max_tw_buckets", O_WRONLY | O_CLOEXEC);
	int err = fd < 0 || write(fd, "0", 1) != 1 ? -errno : 0;

	if (err)
		perror("bench: tcp_max_tw_buckets");
	if (fd >= 0)
		close(fd);
	return err;
}

int elsewhere__begin(void)
{
	int err = net__enter_own();

	if (!err)
		err = forget_connections();
	if (err)
		return err;
	listeners[0] = net__member_on(SOCK_STREAM, PORT + 1);
	listeners[1] = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (listeners[0] < 0 || listeners[1] < 0 ||
	    bind(listeners[1], (const struct sockaddr *)&unix_address, sizeof(unix_address)) ||
	    listen(listeners[1], 8)) {
		perror("bench: listeners");
		return -EIO;
	}
	return 0;
}
