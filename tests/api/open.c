// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/*
 * open: a group that is opened before it has members, and sockets that are added: of this process,
 * and of another one that sends them. Real packets reach each. Prints TAP. Needs two free ports of
 * 127.0.0.1, TCP and UDP, from PORT on:
 *   open PORT
 */
#include <reuseport_bpf.h>

#include <errno.h>
#include <linux/filter.h>
#include <stdlib.h>
#include <sys/wait.h>

#include "check.h"
#include "sockets.h"

#define PACKETS 200
#define PATIENCE 60 /* seconds, for what takes a few */

static uint16_t port;
static struct reuseport_attach_opts opts;
static char logged[8192];

static void note_log(void *ctx, int level, const char *line)
{
	size_t len = strlen(logged);

	(void)ctx;
	(void)level;
	snprintf(logged + len, sizeof(logged) - len, "%s\n", line);
}

static struct reuseport_key key_of(int type)
{
	REUSEPORT_OPTS(reuseport_key, key, .family = AF_INET, .port = port);
	struct sockaddr_in at = loopback(port);

	key.proto = type == SOCK_STREAM ? IPPROTO_TCP : IPPROTO_UDP;
	memcpy(key.addr, &at.sin_addr, sizeof(at.sin_addr));
	return key;
}

/* Keep the group until it has that many workers, and then for as long as publishing takes. */
static int keep(struct reuseport_group *group, unsigned int workers)
{
	struct pollfd ready = { reuseport_group__fd(group), POLLIN, 0 };
	double until = seconds() + PATIENCE;
	int calm = 0;

	while (seconds() < until && calm < 3) {
		poll(&ready, 1, 20);
		if (reuseport_group__process(group, NULL) < 0)
			return 0;
		calm = reuseport_group__workers(group) == workers ? calm + 1 : 0;
	}
	return calm == 3;
}

/* Return how many packets the program has selected a worker for; 0 if the kernel has picked for
 * one. A late ACK of a connection that is over is one, too. */
static uint64_t selected(const struct reuseport_group *group)
{
	struct reuseport_status_list *list = NULL;
	const struct reuseport_counters *counters;
	uint64_t n = 0;

	if (!reuseport_group__status(group, &list, NULL)) {
		counters = reuseport_status_list__get(list, 0)->counters;
		n = reuseport_counters__fallback(counters) ? 0 : counters->selected;
	}
	reuseport_status_list__free(list);
	return n;
}

/* All packets arrive, each member has some, and all were selected by the program. */
static void reaches(struct reuseport_group *group, int type, const int *members, int n)
{
	uint64_t before = selected(group);
	int all = 0, least = PACKETS;

	CHECK(send_packets(type, port, PACKETS) == PACKETS);
	for (int i = 0; i < n; i++) {
		int taken = take_packets(type, members[i]);

		all += taken;
		least = taken < least ? taken : least;
	}
	CHECK(all == PACKETS && least > 0);
	CHECK(selected(group) >= before + PACKETS);
}

/* ------------------------------------------------------- one process's own */

static void opens_before_any_member(int type)
{
	struct reuseport_key key = key_of(type);
	struct reuseport_group *group = NULL;
	struct reuseport_error err;
	int members[2];

	CHECK(reuseport_group__open(&key, &opts, &group, &err) == 0);
	if (!group) {
		printf("# %s\n", err.text);
		return;
	}
	CHECK(!reuseport_group__adopted(group) && reuseport_group__workers(group) == 0);
	CHECK(reuseport_group__key(group)->has_uid && reuseport_group__key(group)->netns);
	CHECK(reuseport_group__process(group, NULL) >= 0);
	for (int i = 0; i < 2; i++) {
		members[i] = member_of(type, port);
		CHECK(reuseport_group__add(group, members[i], &err) == i);
	}
	CHECK(reuseport_group__add(group, members[1], NULL) == 1);
	CHECK(reuseport_group__workers(group) == 2 && keep(group, 2));
	reaches(group, type, members, 2);
	close(members[1]);
	CHECK(keep(group, 1));
	members[1] = member_of(type, port);
	CHECK(reuseport_group__add(group, members[1], NULL) == 1 && keep(group, 2));
	reaches(group, type, members, 2);
	/* One that comes at once, instead of one that nobody has seen leave, has its slot. */
	close(members[1]);
	members[1] = member_of(type, port);
	CHECK(reuseport_group__add(group, members[1], NULL) == 1 && keep(group, 2));
	reaches(group, type, members, 2);
	/* Another keeper adopts both where they are. */
	reuseport_group__free(group);
	CHECK(reuseport_group__open(&key, &opts, &group, &err) == 0);
	CHECK(reuseport_group__adopted(group) && reuseport_group__workers(group) == 2);
	CHECK(reuseport_group__add(group, members[1], NULL) == 1);
	CHECK(reuseport_group__add(group, members[0], NULL) == 0);
	reaches(group, type, members, 2);
	CHECK(reuseport_group__detach(group, &err) == 0);
	reuseport_group__free(group);
	close(members[0]);
	close(members[1]);
}

/* The group is recreated when all its sockets have closed: the next one brings the program. */
static void outlives_its_members(int type)
{
	struct reuseport_key key = key_of(type);
	struct reuseport_group *group = NULL;
	int member;

	CHECK(reuseport_group__open(&key, &opts, &group, NULL) == 0);
	for (int i = 0; i < 3; i++) {
		member = member_of(type, port);
		CHECK(reuseport_group__add(group, member, NULL) == 0 && keep(group, 1));
		reaches(group, type, &member, 1);
		close(member);
		CHECK(keep(group, 0));
	}
	/* The pins stay when this process keeps it no longer, and are adopted, empty as they are.
	 */
	reuseport_group__free(group);
	CHECK(reuseport_group__open(&key, &opts, &group, NULL) == 0);
	CHECK(reuseport_group__adopted(group));
	member = member_of(type, port);
	CHECK(reuseport_group__add(group, member, NULL) == 0 && keep(group, 1));
	reaches(group, type, &member, 1);
	CHECK(reuseport_group__detach(group, NULL) == 0);
	reuseport_group__free(group);
	close(member);
}

static void opens_by_a_socket(int type)
{
	int member = bound_member(type, port), fresh = unbound_member(type);
	struct reuseport_key key = { .sz = sizeof(key) };
	struct reuseport_group *group = NULL;
	struct reuseport_error err;

	CHECK(told(reuseport_group__open_fd(fresh, &opts, &group, &err), EDESTADDRREQ, &err));
	CHECK(reuseport_key_of_socket(fresh, &key, &err) == 0 && !key.port && key.netns);
	CHECK(key.has_uid && key.uid == geteuid() && key.family == AF_INET);
	CHECK(reuseport_key_of_socket(member, &key, &err) == 0 && key.port == port);
	CHECK(key.proto == (type == SOCK_STREAM ? IPPROTO_TCP : IPPROTO_UDP));
	CHECK(reuseport_group__open_fd(member, &opts, &group, &err) == 0);
	if (type == SOCK_STREAM) {
		CHECK(told(reuseport_group__add(group, member, &err), EAGAIN, &err));
		CHECK(listen(member, 1024) == 0);
	}
	CHECK(reuseport_group__add(group, member, &err) == 0 && keep(group, 1));
	reaches(group, type, &member, 1);
	CHECK(reuseport_group__detach(group, NULL) == 0);
	reuseport_group__free(group);
	close(member);
	close(fresh);
}

/* A group of another kind: IPv6 alone, of one device. */
static void opens_a_kind_of_its_own(int type)
{
	struct sockaddr_in6 at = { .sin6_family = AF_INET6,
				   .sin6_port = htons(port),
				   .sin6_addr = IN6ADDR_LOOPBACK_INIT };
	int one = 1, member = socket(AF_INET6, type | SOCK_NONBLOCK, 0), from;
	struct reuseport_group *group = NULL;

	CHECK(!setsockopt(member, SOL_SOCKET, SO_REUSEPORT, &one, sizeof(one)) &&
	      !setsockopt(member, IPPROTO_IPV6, IPV6_V6ONLY, &one, sizeof(one)) &&
	      !setsockopt(member, SOL_SOCKET, SO_BINDTODEVICE, "lo", 2) &&
	      !bind(member, (struct sockaddr *)&at, sizeof(at)));
	CHECK(reuseport_group__open_fd(member, &opts, &group, NULL) == 0);
	CHECK(reuseport_group__key(group)->v6only && reuseport_group__key(group)->ifindex);
	CHECK(reuseport_group__key(group)->family == AF_INET6);
	CHECK(type == SOCK_DGRAM || !listen(member, 16));
	CHECK(reuseport_group__add(group, member, NULL) == 0 && keep(group, 1));
	from = socket(AF_INET6, type, 0);
	CHECK(!connect(from, (struct sockaddr *)&at, sizeof(at)));
	CHECK(type == SOCK_STREAM || send(from, "x", 1, 0) == 1);
	CHECK(take_packets(type, member) == 1 && selected(group) >= 1);
	close(from);
	CHECK(reuseport_group__detach(group, NULL) == 0);
	reuseport_group__free(group);
	close(member);
}

/* --------------------------------------------------------- another process's */

/* A child has a member, sends it, and counts what it gets until it is told to end. */
static void child_with_a_member(int type, int parent)
{
	int member = member_of(type, port), n;
	char byte;

	if (member < 0 || send_fd(parent, member))
		_exit(1);
	while (read(parent, &byte, 1) == 1) {
		n = take_packets(type, member);
		if (write(parent, &n, sizeof(n)) != sizeof(n))
			_exit(1);
	}
	_exit(0);
}

static void adds_what_it_was_sent(int type)
{
	struct reuseport_key key = key_of(type);
	struct reuseport_group *group = NULL;
	int pair[2], member, sent, theirs = 0, own, status;
	struct reuseport_error err;
	pid_t child;

	CHECK(reuseport_group__open(&key, &opts, &group, &err) == 0);
	member = member_of(type, port);
	CHECK(reuseport_group__add(group, member, NULL) == 0);
	CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, pair) == 0);
	child = fork();
	if (child == 0) {
		close(pair[0]);
		close(member);
		child_with_a_member(type, pair[1]);
	}
	close(pair[1]);
	sent = receive_fd(pair[0]);
	CHECK(reuseport_group__add_of(group, sent, child, &err) == 1);
	close(sent);
	CHECK(keep(group, 2));
	CHECK(send_packets(type, port, PACKETS) == PACKETS);
	own = take_packets(type, member);
	CHECK(write(pair[0], "?", 1) == 1);
	CHECK(read(pair[0], &theirs, sizeof(theirs)) == sizeof(theirs));
	CHECK(own > 0 && theirs > 0 && own + theirs == PACKETS);
	CHECK(selected(group) >= PACKETS);
	/* The call has kept no copy: when the child ends, its worker has left. */
	close(pair[0]);
	CHECK(waitpid(child, &status, 0) == child && !status && keep(group, 1));
	reaches(group, type, &member, 1);
	CHECK(reuseport_group__detach(group, NULL) == 0);
	reuseport_group__free(group);
	close(member);
}

/* ------------------------------------------------------------------ refused */

static void refuses_keys(void)
{
	struct reuseport_group *const untouched = (struct reuseport_group *)&opts;
	struct reuseport_group *group = untouched;
	struct reuseport_key key = key_of(SOCK_STREAM);
	struct reuseport_error err;

	CHECK(told(reuseport_group__open(NULL, &opts, &group, &err), EINVAL, &err));
	CHECK(told(reuseport_group__open(&key, &opts, NULL, &err), EINVAL, &err));
	key.port = 0;
	CHECK(told(reuseport_group__open(&key, &opts, &group, &err), EINVAL, &err));
	key = key_of(SOCK_STREAM);
	key.proto = 0;
	CHECK(told(reuseport_group__open(&key, &opts, &group, &err), EINVAL, &err));
	key = key_of(SOCK_STREAM);
	key.family = AF_UNIX;
	CHECK(told(reuseport_group__open(&key, &opts, &group, &err), EINVAL, &err));
	key = key_of(SOCK_STREAM);
	key.v6only = true;
	CHECK(told(reuseport_group__open(&key, &opts, &group, &err), EINVAL, &err));
	key.sz = 0;
	CHECK(told(reuseport_group__open(&key, &opts, &group, &err), EINVAL, &err));
	CHECK(told(reuseport_group__open_fd(-1, &opts, &group, &err), EBADF, &err));
	CHECK(told(reuseport_group__open_fd(STDOUT_FILENO, &opts, &group, &err), ENOTSOCK, &err));
	CHECK(told(reuseport_key_of_socket(0, NULL, &err), EINVAL, &err));
	CHECK(group == untouched);
}

static void refuses_sockets(int type)
{
	int plain = socket(AF_INET, type, 0), other = member_of(type, port + 1), more;
	struct sockaddr_in at = loopback(port), peer = loopback(9);
	struct reuseport_key key = key_of(type);
	struct reuseport_group *group = NULL, *second = NULL;
	struct reuseport_error err;

	opts.slots = 1;
	CHECK(reuseport_group__open(&key, &opts, &group, &err) == 0);
	opts.slots = 0;
	CHECK(told(reuseport_group__open(&key, &opts, &second, &err), EBUSY, &err));
	CHECK(told(reuseport_group__add(NULL, other, &err), EINVAL, &err));
	CHECK(told(reuseport_group__add(group, -1, &err), EBADF, &err));
	CHECK(told(reuseport_group__add(group, STDOUT_FILENO, &err), ENOTSOCK, &err));
	CHECK(told(reuseport_group__add(group, plain, &err), EINVAL, &err));
	CHECK(told(reuseport_group__add(group, other, &err), EXDEV, &err));
	close(other);
	other = unbound_member(type);
	CHECK(told(reuseport_group__add(group, other, &err), EXDEV, &err));
	if (type == SOCK_DGRAM) {
		CHECK(!bind(other, (struct sockaddr *)&at, sizeof(at)) &&
		      !connect(other, (struct sockaddr *)&peer, sizeof(peer)));
		CHECK(told(reuseport_group__add(group, other, &err), EISCONN, &err));
	}
	close(other);
	CHECK(reuseport_group__workers(group) == 0 && !second);
	other = member_of(type, port);
	more = member_of(type, port);
	CHECK(reuseport_group__add(group, other, &err) == 0);
	CHECK(told(reuseport_group__add(group, more, &err), ENOSPC, &err));
	close(other);
	CHECK(reuseport_group__add(group, more, &err) == 0);
	other = more;
	more = member_of(type, port);
	CHECK(told(reuseport_group__add(group, more, &err), ENOSPC, &err));
	CHECK(reuseport_group__detach(group, NULL) == 0);
	CHECK(told(reuseport_group__add(group, other, &err), ESHUTDOWN, &err));
	reuseport_group__free(group);
	close(plain);
	close(other);
	close(more);
}

/* The first member has another program, or lets nobody put one on the group. */
static void refuses_first_members(int type)
{
	struct sock_filter pick_first = { BPF_RET | BPF_K, 0, 0, 0 };
	struct sock_fprog other = { 1, &pick_first };
	struct reuseport_group *group = NULL, *second = NULL;
	struct reuseport_key key = key_of(type);
	struct reuseport_error err;
	int member, one = 1;

	CHECK(reuseport_group__open(&key, &opts, &group, NULL) == 0);
	member = member_of(type, port);
	CHECK(!setsockopt(member, SOL_SOCKET, SO_LOCK_FILTER, &one, sizeof(one)));
	CHECK(told(reuseport_group__add(group, member, &err), EPERM, &err));
	CHECK(strstr(err.text, "SO_LOCK_FILTER") && !reuseport_group__workers(group));
	close(member);
	member = member_of(type, port);
	CHECK(!setsockopt(member, SOL_SOCKET, SO_ATTACH_REUSEPORT_CBPF, &other, sizeof(other)));
	CHECK(told(reuseport_group__add(group, member, &err), EEXIST, &err));
	CHECK(!reuseport_group__workers(group));
	CHECK(reuseport_group__detach(group, NULL) == 0);
	reuseport_group__free(group);
	CHECK(told(reuseport_group__open(&key, &opts, &second, &err), EEXIST, &err) && !second);
	opts.force = true;
	CHECK(reuseport_group__open(&key, &opts, &group, NULL) == 0);
	CHECK(reuseport_group__add(group, member, NULL) == 0 && keep(group, 1));
	opts.force = false;
	reaches(group, type, &member, 1);
	CHECK(reuseport_group__detach(group, NULL) == 0);
	reuseport_group__free(group);
	close(member);
}

int main(int argc, char **argv)
{
	static const int types[] = { SOCK_STREAM, SOCK_DGRAM };

	if (argc < 2)
		return 2;
	setvbuf(stdout, NULL, _IOLBF, 0);
	port = (uint16_t)atoi(argv[1]);
	opts = (struct reuseport_attach_opts)REUSEPORT_INIT(reuseport_attach_opts, .log = note_log);
	refuses_keys();
	for (int i = 0; i < 2; i++) {
		opens_before_any_member(types[i]);
		outlives_its_members(types[i]);
		opens_by_a_socket(types[i]);
		opens_a_kind_of_its_own(types[i]);
		adds_what_it_was_sent(types[i]);
		refuses_sockets(types[i]);
		refuses_first_members(types[i]);
	}
	if (check_failures)
		printf("# log:\n%s", logged);
	return check_end();
}
