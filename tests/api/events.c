// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/*
 * events: what a program that keeps a group reads of its workers: which events, in which order, and
 * that none is lost unsaid. Prints TAP. Needs a free port of 127.0.0.1, TCP and UDP:
 *   events PORT
 */
#include <reuseport_bpf.h>

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <sys/wait.h>

#include "check.h"
#include "sockets.h"

#define PATIENCE 60 /* seconds, for what takes a few */

static REUSEPORT_OPTS(reuseport_attach_opts, opts, .events = 256);
static uint16_t port;

static struct reuseport_group *opened(int type)
{
	REUSEPORT_OPTS(reuseport_key, key, .family = AF_INET, .port = port);
	struct sockaddr_in at = loopback(port);
	struct reuseport_group *group = NULL;

	key.proto = type == SOCK_STREAM ? IPPROTO_TCP : IPPROTO_UDP;
	memcpy(key.addr, &at.sin_addr, sizeof(at.sin_addr));
	CHECK(reuseport_group__open(&key, &opts, &group, NULL) == 0);
	return group;
}

/* Append the events that are there, as "ready 1;". */
static void read_events(struct reuseport_group *group, char *text, size_t size)
{
	const struct reuseport_event *event;
	size_t len;

	while ((event = reuseport_group__next_event(group)) != NULL) {
		len = strlen(text);
		snprintf(text + len, size - len, "%s %u;", reuseport_event_name(event->kind),
			 event->slot);
	}
}

/* Keep the group until its events, from now on, are these; then see that no more come for a
 * while. */
static int events_are(struct reuseport_group *group, const char *expected)
{
	double until = seconds() + PATIENCE;
	char text[1024] = "";
	int more = 10;

	while (seconds() < until && more) {
		struct pollfd ready = { reuseport_group__fd(group), POLLIN, 0 };

		poll(&ready, 1, 20);
		if (reuseport_group__process(group, NULL) < 0)
			more = 1;
		read_events(group, text, sizeof(text));
		more -= !strcmp(text, expected);
		if (strlen(text) > strlen(expected))
			break;
	}
	if (strcmp(text, expected))
		printf("# '%s', expected '%s'\n", text, expected);
	return !strcmp(text, expected);
}

static uint64_t cookie_of(int fd)
{
	uint64_t cookie = 0;
	socklen_t len = sizeof(cookie);

	return getsockopt(fd, SOL_SOCKET, SO_COOKIE, &cookie, &len) ? 0 : cookie;
}

static uint64_t boot_ns(void)
{
	struct timespec at;

	clock_gettime(CLOCK_BOOTTIME, &at);
	return (uint64_t)at.tv_sec * 1000000000 + (uint64_t)at.tv_nsec;
}

/* ---------------------------------------------------------- what is in one */

static void says_all_of_a_worker(void)
{
	struct reuseport_group *group = opened(SOCK_STREAM);
	int member = member_of(SOCK_STREAM, port);
	const struct reuseport_event *event = NULL;
	uint64_t begun = boot_ns();

	CHECK(!reuseport_group__next_event(NULL) && !reuseport_group__next_event(group));
	CHECK(reuseport_group__add_of(group, member, 4711, NULL) == 0);
	for (int i = 0; i < 1000 && !event; i++) {
		reuseport_group__process(group, NULL);
		event = reuseport_group__next_event(group);
	}
	CHECK(event && event->kind == REUSEPORT_EVENT_JOINED && !event->lost);
	CHECK(event && event->slot == 0 && event->pid == 4711 && !event->generation);
	CHECK(event && event->cookie == cookie_of(member));
	CHECK(event && event->state == REUSEPORT_WORKER_JOINING);
	CHECK(event && event->time_ns >= begun && event->time_ns <= boot_ns());
	event = reuseport_group__next_event(group);
	CHECK(event && event->kind == REUSEPORT_EVENT_READY && event->slot == 0);
	CHECK(event && event->state == REUSEPORT_WORKER_ACTIVE);
	CHECK(!reuseport_group__next_event(group));
	CHECK(reuseport_group__detach(group, NULL) == 0);
	event = reuseport_group__next_event(group);
	CHECK(event && event->kind == REUSEPORT_EVENT_DETACHED && event->slot == UINT_MAX);
	CHECK(!reuseport_group__next_event(group));
	reuseport_group__free(group);
	close(member);
	CHECK(!strcmp(reuseport_event_name(0), "unknown"));
	CHECK(!strcmp(reuseport_event_name(UINT_MAX), "unknown"));
}

/* ------------------------------------------------------------------ drains */

/* Send until a member has something queued. */
static int queued_at(int type, int member)
{
	struct pollfd ready = { member, POLLIN, 0 };
	int tries = 0;

	while (tries++ < 200 && poll(&ready, 1, 0) != 1)
		send_packets(type, port, 1);
	return tries < 200;
}

static void tells_what_is_drained(int type)
{
	REUSEPORT_OPTS(reuseport_filter, here, .port = port);
	struct reuseport_group *group = opened(type);
	int members[2];

	here.proto = type == SOCK_STREAM ? IPPROTO_TCP : IPPROTO_UDP;
	for (int i = 0; i < 2; i++) {
		members[i] = member_of(type, port);
		CHECK(reuseport_group__add(group, members[i], NULL) == i);
	}
	CHECK(events_are(group, "joined 0;ready 0;joined 1;ready 1;"));
	CHECK(queued_at(type, members[1]));
	CHECK(reuseport_group__drain(group, members[1], NULL, NULL) == 1);
	/* Not drained: it has something queued. */
	CHECK(events_are(group, "draining 1;"));
	CHECK(take_packets(type, members[1]) > 0);
	CHECK(events_are(group, "drained 1;"));
	CHECK(reuseport_group__undrain(group, members[1], NULL) == 1);
	CHECK(events_are(group, "ready 1;"));
	/* By another than the handle, it is the same. */
	CHECK(reuseport_drain(&here, "slot:1", NULL, NULL) == 1);
	CHECK(events_are(group, "draining 1;drained 1;"));
	close(members[1]);
	CHECK(events_are(group, "left 1;"));
	CHECK(reuseport_group__detach(group, NULL) == 0);
	reuseport_group__free(group);
	close(members[0]);
}

/* ------------------------------------------------- admission, generations */

static void tells_who_waits(void)
{
	struct reuseport_group *group;
	int members[3];

	opts.admit = "manual";
	group = opened(SOCK_STREAM);
	opts.admit = NULL;
	for (int i = 0; i < 2; i++) {
		members[i] = member_of(SOCK_STREAM, port);
		CHECK(reuseport_group__add(group, members[i], NULL) == i);
	}
	CHECK(events_are(group, "joined 0;joined 1;"));
	CHECK(reuseport_group__admit(group, members[1], NULL) == 1);
	CHECK(events_are(group, "ready 1;"));
	CHECK(reuseport_group__rollout(group, REUSEPORT_ROLLOUT_BEGIN, NULL) == 1);
	members[2] = member_of(SOCK_STREAM, port);
	CHECK(reuseport_group__add(group, members[2], NULL) == 2);
	CHECK(events_are(group, "joined 2;"));
	CHECK(reuseport_group__rollout(group, REUSEPORT_ROLLOUT_SWITCH, NULL) == 1);
	CHECK(events_are(group, "draining 1;ready 2;drained 1;"));
	CHECK(reuseport_group__rollout(group, REUSEPORT_ROLLOUT_ABORT, NULL) == 1);
	CHECK(events_are(group, "ready 1;draining 2;drained 2;"));
	/* Who adopts the attachment is told of those that are there. */
	reuseport_group__free(group);
	group = opened(SOCK_STREAM);
	CHECK(events_are(group, "joined 0;joined 1;ready 1;joined 2;draining 2;drained 2;"));
	CHECK(reuseport_group__detach(group, NULL) == 0);
	reuseport_group__free(group);
	for (int i = 0; i < 3; i++)
		close(members[i]);
}

/* -------------------------------------------------------------- the last, the lost */

static void tells_that_it_is_detached(void)
{
	REUSEPORT_OPTS(reuseport_filter, here, .proto = IPPROTO_TCP, .port = port);
	struct reuseport_group *group = opened(SOCK_STREAM);
	int member = member_of(SOCK_STREAM, port), status = 1;
	pid_t child;

	CHECK(reuseport_group__add(group, member, NULL) == 0);
	CHECK(events_are(group, "joined 0;ready 0;"));
	child = fork();
	if (child == 0)
		_exit(reuseport_group__next_event(group) || reuseport_detach(&here, NULL) != 1);
	CHECK(events_are(group, "detached 4294967295;"));
	reuseport_group__free(group);
	CHECK(waitpid(child, &status, 0) == child && !status);
	close(member);
}

static void counts_what_had_no_room(void)
{
	const struct reuseport_event *event;
	struct reuseport_group *group;
	int members[3];

	opts.events = 2;
	group = opened(SOCK_STREAM);
	for (int i = 0; i < 3; i++) {
		members[i] = member_of(SOCK_STREAM, port);
		CHECK(reuseport_group__add(group, members[i], NULL) == i);
	}
	for (int i = 0; i < 10; i++)
		CHECK(reuseport_group__process(group, NULL) >= 0);
	event = reuseport_group__next_event(group);
	CHECK(event && event->lost == 4 && event->slot == 2);
	CHECK(event && event->kind == REUSEPORT_EVENT_JOINED);
	event = reuseport_group__next_event(group);
	CHECK(event && !event->lost && event->kind == REUSEPORT_EVENT_READY);
	CHECK(!reuseport_group__next_event(group));
	CHECK(reuseport_group__detach(group, NULL) == 0);
	reuseport_group__free(group);
	for (int i = 0; i < 3; i++)
		close(members[i]);
}

static void without_room(void)
{
	REUSEPORT_OPTS(reuseport_key, key, .family = AF_INET, .proto = IPPROTO_TCP, .port = port);
	struct reuseport_group *group = NULL;
	struct reuseport_error err;

	opts.events = REUSEPORT_EVENTS_MAX + 1;
	CHECK(told(reuseport_group__open(&key, &opts, &group, &err), EINVAL, &err));
	opts.events = 0;
	group = opened(SOCK_STREAM);
	CHECK(reuseport_group__process(group, NULL) >= 0);
	CHECK(!reuseport_group__next_event(group));
	CHECK(reuseport_group__detach(group, NULL) == 0);
	CHECK(!reuseport_group__next_event(group));
	reuseport_group__free(group);
}

int main(int argc, char **argv)
{
	if (argc < 2)
		return 2;
	setvbuf(stdout, NULL, _IOLBF, 0);
	port = (uint16_t)atoi(argv[1]);
	says_all_of_a_worker();
	tells_what_is_drained(SOCK_STREAM);
	tells_what_is_drained(SOCK_DGRAM);
	tells_who_waits();
	tells_that_it_is_detached();
	counts_what_had_no_room();
	without_room();
	return check_end();
}
