// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/*
 * handle: a server that keeps its own group. What the header promises of the handle, of
 * fork(), and of the calling thread. Prints TAP. Needs a free TCP port of 127.0.0.1:
 *   handle PORT
 */
#include <reuseport_bpf.h>

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "check.h"

#define MEMBERS 2

static REUSEPORT_OPTS(reuseport_filter, here, .proto = IPPROTO_TCP);
static struct reuseport_key key;
static int members[MEMBERS];

static int listener(uint16_t port)
{
	struct sockaddr_in at = { .sin_family = AF_INET,
				  .sin_port = htons(port),
				  .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), one = 1;

	if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &one, sizeof(one)) ||
	    bind(fd, (struct sockaddr *)&at, sizeof(at)) || listen(fd, 16))
		return -1;
	return fd;
}

/* Return whether a connection from this thread reaches the group. */
static int connects(void)
{
	struct sockaddr_in to = { .sin_family = AF_INET,
				  .sin_port = htons(here.port),
				  .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	int ret = connect(fd, (struct sockaddr *)&to, sizeof(to));

	close(fd);
	return !ret;
}

static double now(void)
{
	struct timespec at;

	clock_gettime(CLOCK_MONOTONIC, &at);
	return (double)at.tv_sec + (double)at.tv_nsec / 1e9;
}

static uint64_t own_netns(void)
{
	struct stat st;

	return stat("/proc/thread-self/ns/net", &st) ? 0 : st.st_ino;
}

/* Return whether status says that this process keeps the group; 0: that none does. */
static int kept_by(pid_t pid)
{
	struct reuseport_status_list *list = NULL;
	const struct reuseport_status *status;
	int is = 0;

	if (reuseport_get_status(&here, &list, NULL))
		return 0;
	status = reuseport_status_list__get(list, 0);
	if (status)
		is = pid ? status->keeper_running && status->keeper_pid == (uint32_t)pid :
			   !status->keeper_running;
	reuseport_status_list__free(list);
	return is;
}

static int attached(struct reuseport_group **group)
{
	return !reuseport_attach(&key, NULL, group, NULL);
}

static void nothing_given(void)
{
	struct reuseport_group *group = NULL;
	struct reuseport_error err;

	CHECK(told(reuseport_attach(NULL, NULL, &group, &err), EINVAL, &err));
	CHECK(told(reuseport_attach(&key, NULL, NULL, &err), EINVAL, &err));
	CHECK(told(reuseport_group__process(NULL, &err), EINVAL, &err));
	CHECK(told(reuseport_group__keep(NULL, &err), EINVAL, &err));
	CHECK(told(reuseport_group__hand_over(NULL, &err), EINVAL, &err));
	CHECK(told(reuseport_group__detach(NULL, &err), EINVAL, &err));
	CHECK(told(reuseport_group__drain(NULL, members[0], NULL, &err), EINVAL, &err));
	CHECK(!group);
}

static void keep_leaves_the_thread_where_it_is(void)
{
	uint64_t netns = own_netns();
	struct reuseport_group *group;

	CHECK(netns && attached(&group));
	CHECK(reuseport_group__keep(group, NULL) == 0);
	CHECK(own_netns() == netns && connects());
	CHECK(kept_by(getpid()));
	CHECK(reuseport_group__detach(group, NULL) == 0);
	reuseport_group__free(group);
}

static void detaches_itself(void)
{
	struct reuseport_group *group, *again = NULL;
	struct reuseport_error err;
	double since;

	CHECK(attached(&group));
	since = now();
	CHECK(told(reuseport_detach(&here, &err), EDEADLK, &err));
	CHECK(now() - since < 1.5);
	/* Nothing has changed: it is kept as before. */
	CHECK(reuseport_group__process(group, NULL) >= 0 && kept_by(getpid()));
	since = now();
	CHECK(reuseport_group__detach(group, &err) == 0);
	CHECK(now() - since < 1.5);
	CHECK(told(reuseport_group__process(group, &err), ESHUTDOWN, &err));
	CHECK(told(reuseport_detach(&here, &err), ENOENT, &err));
	CHECK(attached(&again) && !reuseport_group__adopted(again));
	reuseport_group__free(group);
	CHECK(reuseport_group__detach(again, NULL) == 0);
	reuseport_group__free(again);
}

/* Start a process that attaches, and a child of its own that only lives; end the first. */
static pid_t orphan_of_a_keeper(void)
{
	struct reuseport_group *group;
	pid_t keeper, orphan = 0;
	int ready[2];

	if (pipe(ready))
		return 0;
	keeper = fork();
	if (keeper == 0) {
		if (!attached(&group))
			_exit(1);
		orphan = fork();
		if (orphan == 0) {
			struct reuseport_error err;
			int good = told(reuseport_group__process(group, &err), EPERM, &err) &&
				   told(reuseport_group__keep(group, &err), EPERM, &err) &&
				   told(reuseport_group__detach(group, &err), EPERM, &err) &&
				   told(reuseport_group__drain(group, members[0], NULL, &err),
					EPERM, &err) &&
				   told(reuseport_group__status(group, NULL, &err), EPERM, &err);

			orphan = good ? getpid() : 0;
			reuseport_group__free(group);
			if (write(ready[1], &orphan, sizeof(orphan)) != sizeof(orphan))
				_exit(1);
			pause();
			_exit(0);
		}
		pause();
	}
	close(ready[1]);
	if (read(ready[0], &orphan, sizeof(orphan)) != sizeof(orphan))
		orphan = 0;
	close(ready[0]);
	kill(keeper, SIGKILL);
	waitpid(keeper, NULL, 0);
	return orphan;
}

static void a_child_keeps_nothing(void)
{
	struct reuseport_group *group = NULL;
	pid_t orphan = orphan_of_a_keeper();

	CHECK(orphan > 0);
	if (!orphan)
		return;
	CHECK(kill(orphan, 0) == 0 && kept_by(0));
	CHECK(attached(&group) && reuseport_group__adopted(group));
	CHECK(kill(orphan, 0) == 0);
	kill(orphan, SIGKILL);
	CHECK(reuseport_group__detach(group, NULL) == 0);
	reuseport_group__free(group);
}

static void child_that_keeps(struct reuseport_group *group, int ready)
{
	char good = !reuseport_group__keep(group, NULL) &&
		    reuseport_group__process(group, NULL) >= 0;

	if (write(ready, &good, 1) != 1)
		_exit(1);
	for (;;) {
		struct pollfd fd = { reuseport_group__fd(group), POLLIN, 0 };

		poll(&fd, 1, -1);
		if (reuseport_group__process(group, NULL) < 0)
			_exit(0);
	}
}

static void handed_over(void)
{
	struct reuseport_group *group;
	struct reuseport_error err;
	pid_t child;
	int ready[2], status = 1;
	char good = 0;

	CHECK(attached(&group) && !pipe(ready));
	CHECK(reuseport_group__hand_over(group, NULL) == 0);
	child = fork();
	if (child == 0)
		child_that_keeps(group, ready[1]);
	close(ready[1]);
	CHECK(read(ready[0], &good, 1) == 1 && good);
	close(ready[0]);
	CHECK(told(reuseport_group__process(group, &err), EPERM, &err));
	CHECK(reuseport_group__workers(group) == MEMBERS);
	reuseport_group__free(group);
	CHECK(kept_by(child));
	/* The child releases it, and ends by itself. */
	CHECK(reuseport_detach(&here, NULL) == 1);
	CHECK(waitpid(child, &status, 0) == child && WIFEXITED(status));
}

static uint64_t cookie_of(int fd)
{
	uint64_t cookie = 0;
	socklen_t len = sizeof(cookie);

	return getsockopt(fd, SOL_SOCKET, SO_COOKIE, &cookie, &len) ? 0 : cookie;
}

/* The state of the worker whose socket is fd. */
static unsigned int state_of(const struct reuseport_group *group, int fd)
{
	struct reuseport_status_list *list = NULL;
	const struct reuseport_status *status;
	unsigned int state = 0;

	if (reuseport_group__status(group, &list, NULL))
		return 0;
	status = reuseport_status_list__get(list, 0);
	for (size_t i = 0; status && i < status->n_workers; i++)
		if (status->workers[i]->cookie == cookie_of(fd))
			state = status->workers[i]->state;
	reuseport_status_list__free(list);
	return state;
}

static void controls_its_own_workers(void)
{
	REUSEPORT_OPTS(reuseport_drain_opts, release, .release = true);
	REUSEPORT_OPTS(reuseport_policy_opts, words, .policy = "consistent");
	struct reuseport_drain_list *drained = NULL;
	struct reuseport_group *group;
	struct reuseport_error err;
	int other = socket(AF_INET, SOCK_STREAM, 0);

	CHECK(attached(&group));
	CHECK(reuseport_group__set_policy(group, &words, NULL) == 1);
	CHECK(reuseport_group__set_weight(group, members[1], 7, NULL) == 1);
	CHECK(reuseport_group__drain(group, members[1], NULL, NULL) == 1);
	CHECK(state_of(group, members[1]) == REUSEPORT_WORKER_DRAINING);
	CHECK(reuseport_group__drain_status(group, -1, &drained, NULL) == 0);
	CHECK(reuseport_drain_list__count(drained) == 1 &&
	      reuseport_drain_list__get(drained, 0)->cookie == cookie_of(members[1]));
	reuseport_drain_list__free(drained);
	CHECK(reuseport_group__drain(group, members[1], &release, NULL) == 1);
	CHECK(state_of(group, members[1]) == REUSEPORT_WORKER_LEAVING);
	CHECK(reuseport_group__undrain(group, members[1], NULL) == 1);
	CHECK(state_of(group, members[1]) == REUSEPORT_WORKER_ACTIVE);
	CHECK(reuseport_group__admit(group, -1, NULL) == 0);
	CHECK(reuseport_group__rollout(group, REUSEPORT_ROLLOUT_BEGIN, NULL) == 1);
	CHECK(reuseport_group__rollout(group, REUSEPORT_ROLLOUT_ABORT, NULL) == 1);
	CHECK(told(reuseport_group__drain(group, -1, NULL, &err), EINVAL, &err));
	CHECK(told(reuseport_group__drain(group, 99, NULL, &err), EINVAL, &err));
	CHECK(told(reuseport_group__drain(group, other, NULL, &err), ENOENT, &err));
	CHECK(told(reuseport_group__set_weight(group, members[0], 1001, &err), EINVAL, &err));
	close(other);
	CHECK(reuseport_group__detach(group, NULL) == 0);
	reuseport_group__free(group);
}

/* What bpftool prints of the pinned workers. */
static void dump_workers(const struct reuseport_group *group, char text[8192])
{
	char command[512];
	FILE *pipe;
	size_t n;

	snprintf(command, sizeof(command), "bpftool map dump pinned %s/workers | head -n 40",
		 reuseport_group__pin(group));
	pipe = popen(command, "r");
	n = pipe ? fread(text, 1, 8191, pipe) : 0;
	text[n] = '\0';
	if (pipe)
		pclose(pipe);
}

/* To find a worker by a process that the keeper has not seen yet is no reason to write. */
static void reading_writes_nothing(void)
{
	static char before[8192], after[8192];
	struct reuseport_drain_list *drained = NULL;
	struct reuseport_group *group;
	char child_pid[32];
	pid_t child;

	CHECK(attached(&group));
	/* The youngest process that has the sockets open is the one that serves them. */
	child = fork();
	if (child == 0) {
		pause();
		_exit(0);
	}
	CHECK(reuseport_group__drain(group, members[0], NULL, NULL) == 1);
	dump_workers(group, before);
	snprintf(child_pid, sizeof(child_pid), "pid:%d", child);
	CHECK(reuseport_get_drain_status(&here, child_pid, &drained, NULL) == 0);
	CHECK(reuseport_drain_list__count(drained) == 1 &&
	      reuseport_drain_list__get(drained, 0)->pid == (uint32_t)child);
	reuseport_drain_list__free(drained);
	dump_workers(group, after);
	CHECK(strstr(before, "WORKER_DRAINING") && !strcmp(before, after));
	kill(child, SIGKILL);
	waitpid(child, NULL, 0);
	CHECK(reuseport_group__detach(group, NULL) == 0);
	reuseport_group__free(group);
}

int main(int argc, char **argv)
{
	struct reuseport_key_list *keys = NULL;

	if (argc < 2)
		return 2;
	setvbuf(stdout, NULL, _IOLBF, 0);
	here.port = (uint16_t)atoi(argv[1]);
	here.netns = own_netns();
	for (int i = 0; i < MEMBERS; i++) {
		members[i] = listener(here.port);
		CHECK(members[i] >= 0);
	}
	CHECK(reuseport_find(&here, &keys, NULL) == 0);
	if (!reuseport_key_list__get(keys, 0))
		return 1;
	key.sz = sizeof(key);
	CHECK(reuseport_key_copy(&key, reuseport_key_list__get(keys, 0), NULL) == 0);
	reuseport_key_list__free(keys);
	nothing_given();
	keep_leaves_the_thread_where_it_is();
	detaches_itself();
	a_child_keeps_nothing();
	handed_over();
	controls_its_own_workers();
	reading_writes_nothing();
	return check_end();
}
