// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/*
 * asks: a worker of an ordinary user, without capabilities, that asks by the calls of
 * reuseport_worker.h, and waits for what it has asked; its keeper, to which it sends its sockets,
 * may look into no other process and reads the events. Prints TAP. Needs root, and a free port of
 * 127.0.0.1, TCP and UDP:
 *   asks PORT
 */
#include <reuseport_bpf.h>
#include <reuseport_worker.h>

#include <errno.h>
#include <grp.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>

#include "check.h"
#include "effective.h"
#include "sockets.h"

#define NOBODY 65534
#define PATIENCE 60000 /* ms, for what takes a few */

static uint16_t port;

/* -------------------------------------------------------------------- keeper */

static struct reuseport_group *opened(int type)
{
	REUSEPORT_OPTS(reuseport_attach_opts, opts, .admit = "manual", .events = 256);
	REUSEPORT_OPTS(reuseport_key, key, .family = AF_INET, .port = port, .uid = NOBODY,
		       .has_uid = true);
	struct sockaddr_in at = loopback(port);
	struct reuseport_group *group = NULL;

	key.proto = type == SOCK_STREAM ? IPPROTO_TCP : IPPROTO_UDP;
	memcpy(key.addr, &at.sin_addr, sizeof(at.sin_addr));
	return reuseport_group__open(&key, &opts, &group, NULL) ? NULL : group;
}

/* Add what is sent, and answer with its slot. */
static int add_sent(struct reuseport_group *group, int worker)
{
	int fd = receive_fd(worker), slot;

	if (fd < 0)
		return -1;
	slot = reuseport_group__add(group, fd, NULL);
	close(fd);
	return write(worker, &slot, sizeof(slot)) == sizeof(slot) ? 0 : -1;
}

/* Keep the group until the worker has gone; then say which events there were, and detach. */
static void keeper(int type, int worker, int events)
{
	struct reuseport_group *group;
	const struct reuseport_event *event;
	char text[4096] = "", ok = 1;
	int gone = 0;

	have_only(BPF | PERFMON | NET_ADMIN);
	group = opened(type);
	if (!group || write(worker, &ok, 1) != 1)
		_exit(1);
	while (!gone) {
		struct pollfd due[] = { { reuseport_group__fd(group), POLLIN, 0 },
					{ worker, POLLIN, 0 } };

		poll(due, 2, -1);
		gone = due[1].revents && add_sent(group, worker);
		if (reuseport_group__process(group, NULL) < 0)
			_exit(1);
		while ((event = reuseport_group__next_event(group)) != NULL) {
			size_t len = strlen(text);

			snprintf(text + len, sizeof(text) - len, "%s %u;",
				 reuseport_event_name(event->kind), event->slot);
		}
	}
	if (write(events, text, strlen(text)) != (ssize_t)strlen(text))
		_exit(1);
	have_only(EVERY);
	ok = !reuseport_group__detach(group, NULL);
	reuseport_group__free(group);
	_exit(!ok);
}

/* -------------------------------------------------------------------- worker */

static struct reuseport_worker_sockopt state_of(int fd)
{
	struct reuseport_worker_sockopt state = { 0 };

	CHECK(reuseport_worker_get_state(fd, &state, sizeof(state)) == 0);
	return state;
}

/* What is asked next is in effect. */
static int in_effect(int fd, uint64_t before)
{
	return reuseport_worker_wait(fd, before + 1, PATIENCE);
}

static int joined(int keeper_end, int fd)
{
	int slot = -1;

	if (send_fd(keeper_end, fd) || read(keeper_end, &slot, sizeof(slot)) != sizeof(slot))
		return -1;
	return slot;
}

/* From socket() on it may ask, and it is in effect when it joins. */
static int asks_before_it_joins(int type, int keeper_end)
{
	struct sockaddr_in at = loopback(port);
	struct reuseport_worker_sockopt state;
	int fd = unbound_member(type);

	CHECK(reuseport_worker_set_weight(fd, 7) == 0);
	state = state_of(fd);
	CHECK(state.state == REUSEPORT_WORKER_FREE && state.slot == REUSEPORT_NO_SLOT);
	CHECK(bind(fd, (struct sockaddr *)&at, sizeof(at)) == 0);
	CHECK(type == SOCK_DGRAM || listen(fd, 128) == 0);
	CHECK(reuseport_worker_set_id(fd, 77) == 0 && reuseport_worker_ready(fd, true) == 0);
	CHECK(joined(keeper_end, fd) == 0);
	CHECK(reuseport_worker_wait(fd, 3, PATIENCE) == 0);
	state = state_of(fd);
	CHECK(state.state == REUSEPORT_WORKER_ACTIVE && state.slot == 0 && state.seq == 3);
	CHECK(state.weight == 7 && state.id == 77 && state.generation == 0);
	return fd;
}

static void refuses(int fd)
{
	uint32_t first[2] = { 0, 99 };

	CHECK(reuseport_worker_drain(fd, 3) == -EINVAL);
	CHECK(reuseport_worker_set_weight(fd, 1001) == -EINVAL);
	/* The first bytes only, where the caller knows no more. */
	CHECK(reuseport_worker_get_state(fd, (struct reuseport_worker_sockopt *)first, 4) == 0);
	CHECK(first[0] == REUSEPORT_WORKER_ACTIVE && first[1] == 99);
}

static void drains(int type, int fd)
{
	CHECK(send_packets(type, port, 5) == 5);
	CHECK(state_of(fd).queue > 0);
	/* It is not drained while it gets work, and not while something is queued. */
	CHECK(reuseport_worker_wait_drained(fd, 50) == -ETIMEDOUT);
	CHECK(reuseport_worker_drain(fd, 1) == 0 && in_effect(fd, 3) == 0);
	CHECK(state_of(fd).state == REUSEPORT_WORKER_DRAINING);
	CHECK(reuseport_worker_wait_drained(fd, 50) == -ETIMEDOUT);
	CHECK(take_packets(type, fd) == 5);
	CHECK(reuseport_worker_wait_drained(fd, PATIENCE) == 0);
	/* The keeper sees it, too, within some 50 ms. */
	usleep(1000000);
	CHECK(reuseport_worker_drain(fd, 0) == 0 && in_effect(fd, 4) == 0);
	CHECK(state_of(fd).state == REUSEPORT_WORKER_ACTIVE);
}

static void signal_keeper(pid_t child, int number)
{
	CHECK(seteuid(0) == 0 && kill(child, number) == 0 && seteuid(NOBODY) == 0);
}

static void waits_for_the_keeper(int fd, pid_t child)
{
	uint64_t before = state_of(fd).seq;

	signal_keeper(child, SIGSTOP);
	CHECK(reuseport_worker_ready(fd, false) == 0);
	CHECK(reuseport_worker_wait(fd, before + 1, 200) == -ETIMEDOUT);
	CHECK(reuseport_worker_wait(fd, before, 0) == 0);
	signal_keeper(child, SIGCONT);
	CHECK(in_effect(fd, before) == 0);
	CHECK(state_of(fd).state == REUSEPORT_WORKER_JOINING);
	CHECK(reuseport_worker_ready(fd, true) == 0 && in_effect(fd, before + 1) == 0);
	CHECK(state_of(fd).state == REUSEPORT_WORKER_ACTIVE);
}

/* Another worker of the group. */
static void numbers_are_unique(int type, int keeper_end)
{
	int fd = member_of(type, port);

	CHECK(joined(keeper_end, fd) == 1);
	CHECK(state_of(fd).state == REUSEPORT_WORKER_JOINING);
	CHECK(reuseport_worker_set_id(fd, 77) == -EEXIST);
	CHECK(reuseport_worker_set_id(fd, 78) == 0 && in_effect(fd, 0) == 0);
	CHECK(state_of(fd).id == 78);
	close(fd);
}

static void asks(int type)
{
	char ok = 0, text[4096] = "";
	int pair[2], events[2], fd, status;
	pid_t child;

	CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, pair) == 0 && pipe(events) == 0);
	child = fork();
	if (child == 0) {
		close(pair[0]);
		keeper(type, pair[1], events[1]);
	}
	close(pair[1]);
	close(events[1]);
	CHECK(read(pair[0], &ok, 1) == 1);
	CHECK(setgroups(0, NULL) == 0 && seteuid(NOBODY) == 0);
	fd = asks_before_it_joins(type, pair[0]);
	refuses(fd);
	drains(type, fd);
	numbers_are_unique(type, pair[0]);
	waits_for_the_keeper(fd, child);
	close(pair[0]);
	while (read(events[0], text + strlen(text), sizeof(text) - strlen(text) - 1) > 0)
		;
	CHECK(!strncmp(text, "joined 0;ready 0;draining 0;drained 0;ready 0;joined 1;", 55));
	CHECK(strstr(text, "waiting 0;ready 0;") != NULL);
	printf("# %s\n", text);
	CHECK(waitpid(child, &status, 0) == child && !status);
	CHECK(seteuid(0) == 0);
	close(events[0]);
	close(fd);
}

int main(int argc, char **argv)
{
	if (argc < 2)
		return 2;
	setvbuf(stdout, NULL, _IOLBF, 0);
	port = (uint16_t)atoi(argv[1]);
	asks(SOCK_STREAM);
	asks(SOCK_DGRAM);
	return check_end();
}
