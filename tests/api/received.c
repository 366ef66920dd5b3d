// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/*
 * received: a keeper that may not look into other processes, and a worker of another user without
 * any capability, which sends it a socket. What the worker does not send gets no slot, and that is
 * logged once; a keeper that may look takes it by itself. Prints TAP. Needs root, and a free port
 * of 127.0.0.1, TCP and UDP: received PORT
 */
#include <reuseport_bpf.h>

#include <errno.h>
#include <grp.h>
#include <stdlib.h>
#include <sys/wait.h>

#include "check.h"
#include "effective.h"
#include "sockets.h"

#define NOBODY 65534
#define PACKETS 100
#define PATIENCE 60 /* seconds, for what takes a few */

static uint16_t port;
static char logged[8192];

static void note_log(void *ctx, int level, const char *line)
{
	size_t len = strlen(logged);

	(void)ctx;
	(void)level;
	snprintf(logged + len, sizeof(logged) - len, "%s\n", line);
}

static int times_logged(const char *text)
{
	int n = 0;

	for (const char *at = logged; (at = strstr(at, text)) != NULL; at++)
		n++;
	return n;
}

/* -------------------------------------------------------------------- worker */

/* "s": make a member and send it. "m": make one, and keep it. "?": count what came to all. */
static void worker(int type, int parent)
{
	int members[2], n = 0, sum;
	char order;

	if (setgroups(0, NULL) || setresgid(NOBODY, NOBODY, NOBODY) ||
	    setresuid(NOBODY, NOBODY, NOBODY))
		_exit(1);
	while (read(parent, &order, 1) == 1) {
		if (order == 's' || order == 'm')
			members[n++] = member_of(type, port);
		if (order == 's' && send_fd(parent, members[n - 1]))
			_exit(1);
		sum = 0;
		for (int i = 0; order == '?' && i < n; i++)
			sum += take_packets(type, members[i]);
		if (order != 's' && write(parent, &sum, sizeof(sum)) != sizeof(sum))
			_exit(1);
	}
	_exit(0);
}

static pid_t started(int type, int *to)
{
	int pair[2];
	pid_t child;

	CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, pair) == 0);
	child = fork();
	if (child == 0) {
		close(pair[0]);
		worker(type, pair[1]);
	}
	close(pair[1]);
	*to = pair[0];
	return child;
}

static int answer(int to, char order)
{
	int sum = -1;

	if (write(to, &order, 1) != 1 || read(to, &sum, sizeof(sum)) != sizeof(sum))
		return -1;
	return sum;
}

static int sent(int to)
{
	return write(to, "s", 1) == 1 ? receive_fd(to) : -1;
}

/* -------------------------------------------------------------------- keeper */

static struct reuseport_group *opened(int type)
{
	REUSEPORT_OPTS(reuseport_attach_opts, opts, .log = note_log);
	REUSEPORT_OPTS(reuseport_key, key, .family = AF_INET, .port = port, .uid = NOBODY,
		       .has_uid = true);
	struct sockaddr_in at = loopback(port);
	struct reuseport_group *group = NULL;
	struct reuseport_error err;

	key.proto = type == SOCK_STREAM ? IPPROTO_TCP : IPPROTO_UDP;
	memcpy(key.addr, &at.sin_addr, sizeof(at.sin_addr));
	logged[0] = '\0';
	if (reuseport_group__open(&key, &opts, &group, &err))
		printf("# %s\n", err.text);
	CHECK(group != NULL);
	return group;
}

/* Keep the group for so long, or until it has that many workers. */
static int keep(struct reuseport_group *group, double time, unsigned int workers)
{
	double until = seconds() + time;

	while (seconds() < until && reuseport_group__workers(group) != workers) {
		struct pollfd ready = { reuseport_group__fd(group), POLLIN, 0 };

		poll(&ready, 1, 20);
		if (reuseport_group__process(group, NULL) < 0)
			return 0;
	}
	for (int i = 0; i < 5; i++)
		reuseport_group__process(group, NULL);
	return reuseport_group__workers(group) == workers;
}

static void takes_what_is_sent(int type, uint64_t capabilities_of_keeper)
{
	struct reuseport_group *group;
	struct reuseport_error err;
	int to, fd, other, status;
	pid_t child = started(type, &to);

	have_only(capabilities_of_keeper);
	group = opened(type);
	fd = sent(to);
	CHECK(reuseport_group__add_of(group, fd, (uint32_t)child, &err) == 0);
	CHECK(reuseport_group__add(group, fd, NULL) == 0);
	close(fd);
	CHECK(keep(group, PATIENCE, 1));
	CHECK(send_packets(type, port, PACKETS) == PACKETS && answer(to, '?') == PACKETS);
	/* One of the keeper's own user is not of the group. The kernel does not let it bind. */
	other = bound_member(type, port);
	CHECK(other < 0);
	CHECK(!times_logged("CAP_SYS_PTRACE"));
	/* A second one that nobody adds. */
	CHECK(answer(to, 'm') == 0);
	for (double until = seconds() + PATIENCE; !times_logged("slot") && seconds() < until;)
		keep(group, 0.2, 2);
	keep(group, 1, 2);
	CHECK(reuseport_group__workers(group) == 1);
	CHECK(times_logged("1 member without a slot") == 1 && times_logged("CAP_SYS_PTRACE") == 1);
	CHECK(send_packets(type, port, PACKETS) == PACKETS && answer(to, '?') == PACKETS);
	reuseport_group__free(group);
	/* Another keeper, which may look, takes that one, too. */
	have_only(EVERY);
	group = opened(type);
	CHECK(keep(group, PATIENCE, 2));
	close(to);
	CHECK(waitpid(child, &status, 0) == child && !status);
	CHECK(keep(group, PATIENCE, 0));
	CHECK(reuseport_group__detach(group, NULL) == 0);
	reuseport_group__free(group);
}

int main(int argc, char **argv)
{
	if (argc < 2)
		return 2;
	setvbuf(stdout, NULL, _IOLBF, 0);
	port = (uint16_t)atoi(argv[1]);
	takes_what_is_sent(SOCK_STREAM, BPF | PERFMON);
	takes_what_is_sent(SOCK_DGRAM, BPF | PERFMON | NET_ADMIN);
	return check_end();
}
