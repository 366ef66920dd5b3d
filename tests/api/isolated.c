// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/*
 * isolated: a socket is added at the moment at which the keeper lets it join by itself, in a helper
 * process: it gets one slot, once. And a group that is left to the host's keeper before it has a
 * member. Prints TAP. Needs root, and a free TCP port of 127.0.0.1:
 *   isolated PORT
 */
#include <reuseport_bpf.h>
#include <reuseport_isolate.h>
#include <reuseport_keeper.h>

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "check.h"
#include "sockets.h"

#define ROUNDS 8
#define PATIENCE 60 /* seconds, for what takes a few */

static uint16_t port;
static int started, delay_ms;

/* Let the helper be late, so that it surely is under way when the socket is added. */
static int start_late(void *ctx, reuseport_look_fn look, void *arg, const int *keep, size_t n,
		      bool minor)
{
	int ends[2];
	pid_t child;

	(void)ctx;
	(void)minor;
	if (pipe2(ends, O_CLOEXEC))
		return -errno;
	child = (pid_t)syscall(SYS_clone, SIGCHLD, NULL, NULL, NULL, 0);
	if (child == 0) {
		for (int fd = 0; fd < 1024; fd++) {
			bool keeps = fd == ends[1];

			for (size_t i = 0; i < n; i++)
				keeps |= fd == keep[i];
			if (!keeps)
				close(fd);
		}
		usleep((useconds_t)delay_ms * 1000);
		_exit(look(arg, ends[1]));
	}
	close(ends[1]);
	fcntl(ends[0], F_SETFL, O_NONBLOCK);
	started++;
	return ends[0];
}

static void stop(void *ctx, int pipe, bool give_up)
{
	(void)ctx;
	(void)give_up;
	close(pipe);
}

static void say(void *ctx, int level, const char *line)
{
	(void)ctx;
	printf("# %d %s\n", level, line);
}

/* The worker makes a member and sends it, when asked. */
static void worker(int parent)
{
	int members[ROUNDS], n = 0;
	char byte;

	while (read(parent, &byte, 1) == 1) {
		members[n] = member_of(SOCK_STREAM, port);
		if (members[n] < 0 || send_fd(parent, members[n]))
			_exit(1);
		n++;
	}
	_exit(0);
}

static struct reuseport_group *opened(void)
{
	REUSEPORT_OPTS(reuseport_attach_opts, opts, .events = 64);
	REUSEPORT_OPTS(reuseport_key, key, .proto = IPPROTO_TCP, .family = AF_INET, .port = port);
	struct sockaddr_in at = loopback(port);
	struct reuseport_group *group = NULL;

	memcpy(key.addr, &at.sin_addr, sizeof(at.sin_addr));
	CHECK(reuseport_group__open(&key, &opts, &group, NULL) == 0);
	return group;
}

/* Keep the group until a helper has been started since then. */
static int keeps_until_helper(struct reuseport_group *group, int before)
{
	double until = seconds() + PATIENCE;

	while (started == before && seconds() < until) {
		struct pollfd ready = { reuseport_group__fd(group), POLLIN, 0 };

		poll(&ready, 1, 20);
		if (reuseport_group__process(group, NULL) < 0)
			return 0;
	}
	return started > before;
}

static int joined_once(struct reuseport_group *group, unsigned int workers)
{
	const struct reuseport_event *event;
	unsigned int joined = 0, others = 0;
	double until = seconds() + 1;

	while (seconds() < until) {
		struct pollfd ready = { reuseport_group__fd(group), POLLIN, 0 };

		poll(&ready, 1, 20);
		reuseport_group__process(group, NULL);
		while ((event = reuseport_group__next_event(group)) != NULL) {
			joined += event->kind == REUSEPORT_EVENT_JOINED;
			others += event->kind == REUSEPORT_EVENT_LEFT;
		}
	}
	return joined == workers && !others && reuseport_group__workers(group) == workers;
}

static void adds_what_is_about_to_join(void)
{
	struct reuseport_group *group;
	int pair[2], status;
	pid_t child;

	CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, pair) == 0);
	child = fork();
	if (child == 0) {
		close(pair[0]);
		worker(pair[1]);
	}
	close(pair[1]);
	group = opened();
	delay_ms = 100;
	for (int i = 0; i < ROUNDS; i++) {
		int before = started, fd;

		CHECK(write(pair[0], "s", 1) == 1);
		fd = receive_fd(pair[0]);
		CHECK(keeps_until_helper(group, before));
		CHECK(reuseport_group__add(group, fd, NULL) == i);
		CHECK(reuseport_group__add(group, fd, NULL) == i);
		close(fd);
	}
	delay_ms = 0;
	CHECK(joined_once(group, ROUNDS));
	close(pair[0]);
	CHECK(waitpid(child, &status, 0) == child && !status);
	CHECK(reuseport_group__detach(group, NULL) == 0);
	reuseport_group__free(group);
}

/* ------------------------------------------------------------ the host's keeper */

/* Keep all attachments until none is left. */
static void keep_all(int ready)
{
	struct reuseport_keeper *keeper = NULL;
	int ret = reuseport_keeper_open(NULL, &keeper, NULL);

	if (ret || write(ready, "k", 1) != 1)
		_exit(1);
	while (ret >= 0) {
		struct pollfd due = { reuseport_keeper__fd(keeper), POLLIN, 0 };

		ret = reuseport_keeper__process(keeper, NULL);
		if (ret >= 0)
			poll(&due, 1, -1);
	}
	reuseport_keeper__free(keeper);
	_exit(ret != -ESHUTDOWN);
}

/* The number of workers, and what they were given. */
static unsigned int workers_of(const struct reuseport_filter *here, uint64_t *selected)
{
	struct reuseport_status_list *list = NULL;
	const struct reuseport_status *status;
	unsigned int n = 0;

	if (reuseport_get_status(here, &list, NULL))
		return 0;
	status = reuseport_status_list__get(list, 0);
	if (status) {
		n = (unsigned int)status->n_workers;
		*selected = status->counters->selected;
	}
	reuseport_status_list__free(list);
	return n;
}

static void leaves_an_empty_group(void)
{
	REUSEPORT_OPTS(reuseport_filter, here, .proto = IPPROTO_TCP, .port = port);
	struct reuseport_group *group = opened();
	double until = seconds() + PATIENCE;
	int ready[2], member, status;
	uint64_t selected = 0;
	pid_t keeper;
	char byte;

	CHECK(pipe(ready) == 0);
	keeper = fork();
	if (keeper == 0)
		keep_all(ready[1]);
	CHECK(read(ready[0], &byte, 1) == 1);
	CHECK(reuseport_group__leave(group, PATIENCE * 1000, NULL) == keeper);
	reuseport_group__free(group);
	member = member_of(SOCK_STREAM, port);
	while (workers_of(&here, &selected) != 1 && seconds() < until)
		usleep(20000);
	CHECK(workers_of(&here, &selected) == 1);
	CHECK(send_packets(SOCK_STREAM, port, 10) == 10);
	CHECK(workers_of(&here, &selected) == 1 && selected >= 10);
	CHECK(take_packets(SOCK_STREAM, member) == 10);
	CHECK(reuseport_detach(&here, NULL) == 1);
	CHECK(waitpid(keeper, &status, 0) == keeper && !status);
	close(member);
	close(ready[0]);
	close(ready[1]);
}

int main(int argc, char **argv)
{
	REUSEPORT_OPTS(reuseport_isolation, isolation, .start = start_late, .stop = stop,
		       .log = say);

	if (argc < 2)
		return 2;
	setvbuf(stdout, NULL, _IOLBF, 0);
	port = (uint16_t)atoi(argv[1]);
	CHECK(reuseport_set_isolation(&isolation, NULL) == 0);
	adds_what_is_about_to_join();
	leaves_an_empty_group();
	return check_end();
}
