/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * asker: sockets that ask by the socket options, and, for them, the keeper's part in the maps of
 * the hooks. Does one command after the other, and prints what came of it, one a line.
 *   asker HOOKS COMMAND...
 *     tcp4 tcp6 udp4 udp6    a new socket; all that follows is about the last one
 *     raw                    one of IPPROTO_TCP that is no TCP socket
 *     socket N               ... or about the one with this number, from 0 on
 *     bind ADDR PORT         with SO_REUSEPORT; TCP: not listening yet
 *     v6only                 before bind
 *     device NAME            after bind
 *     listen
 *     await STATE            it is in that state
 *     bound                  nothing
 *     connect                a client comes, and waits
 *     accept                 a new socket: a connection to the last one
 *     set NAME VALUE         READY, ...; NAME may be a number
 *     long NAME BYTES        a value of that many bytes, each 1
 *     state [BYTES]          "state STATE SLOT GENERATION WEIGHT ID QUEUE HALF-OPEN FLOWS SEQ"
 *     send                   UDP: a datagram of 10 bytes to the socket itself
 *     hooks DIR              from now on these hooks
 *   as the keeper
 *     steer [no-sockopt]     its group is steered
 *     forget                 it is not
 *     words                  the attachment has words
 *     join SLOT GENERATION TAKEN ID   it is a member; ID -: none
 *     leave                  it is not
 *     follow                 requests are told here
 *   and what is in the maps
 *     word SLOT              "word WHAT COUNT, shown 0|1"
 *     request                "request COUNT READY DRAIN WEIGHT ID", or "no request"
 *     owner GENERATION ID    who has the id: "this", "another" or "nobody"
 *     told                   "told SLOT..." since the last time
 *   as another tool
 *     exclusive CGROUP       has a program "other_tool" at setsockopt that admits no other one
 *     crowd CGROUP           has as many there as the kernel takes
 */
#include "common.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "asker.h"
#include "reuseport_sockopt.h"

#define SOCKETS_MAX 16

static int sockets[SOCKETS_MAX], fd = -1;
static int n_sockets;

uint64_t asker_number(int of, int option)
{
	uint64_t value = 0;
	socklen_t len = sizeof(value);

	if (getsockopt(of, SOL_SOCKET, option, &value, &len))
		value = 0; /* the kernel has no cookie of a namespace */
	return value;
}

static void add_socket(int added)
{
	if (added < 0 || n_sockets == SOCKETS_MAX)
		die("socket");
	fd = sockets[n_sockets++] = added;
}

static void bind_to(const char *addr, const char *port)
{
	struct sockaddr_storage at;
	socklen_t len = address(&at, addr, atoi(port));
	int one = 1;

	if (setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &one, sizeof(one)) ||
	    bind(fd, (struct sockaddr *)&at, len))
		die("bind");
}

static void set_v6only(void)
{
	int one = 1;

	if (setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &one, sizeof(one)))
		die("IPV6_V6ONLY");
}

static void bind_to_device(const char *name)
{
	if (setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, name, strlen(name)))
		die("SO_BINDTODEVICE");
}

static void await_state(uint32_t state)
{
	struct reuseport_worker_sockopt now = { 0 };
	socklen_t len = sizeof(now);

	for (int i = 0; i < 1000; i++, usleep(20000))
		if (!getsockopt(fd, SOL_REUSEPORT_BPF, REUSEPORT_STATE, &now, &len) &&
		    now.state == state)
			return;
	die("state %u", now.state);
}

/* Its client stays as long as this process. */
static void connect_one(void)
{
	struct sockaddr_storage at;
	socklen_t len = sizeof(at);
	int client = socket(asker_number(fd, SO_DOMAIN), SOCK_STREAM, 0);

	if (getsockname(fd, (struct sockaddr *)&at, &len) ||
	    connect(client, (struct sockaddr *)&at, len))
		die("connect");
}

static void accept_one(void)
{
	connect_one();
	add_socket(accept(fd, NULL, NULL));
}

static void send_to_itself(void)
{
	struct sockaddr_storage at;
	socklen_t len = sizeof(at);
	int client = socket(asker_number(fd, SO_DOMAIN), SOCK_DGRAM, 0);

	if (getsockname(fd, (struct sockaddr *)&at, &len) ||
	    sendto(client, "0123456789", 10, 0, (struct sockaddr *)&at, len) != 10)
		die("send");
	close(client);
}

static void result(int ret)
{
	puts(ret < 0 ? strerrorname_np(errno) : "0");
}

static int option_of(const char *name)
{
	static const char *const names[] = { "", "READY", "DRAIN", "WEIGHT", "ID" };

	for (int i = 1; i < 5; i++)
		if (!strcmp(name, names[i]))
			return i;
	return atoi(name);
}

static void set(const char *name, const char *value)
{
	uint32_t number = strtoul(value, NULL, 0);

	printf("%s %s: ", name, value);
	result(setsockopt(fd, SOL_REUSEPORT_BPF, option_of(name), &number, sizeof(number)));
}

static void set_long(const char *name, const char *bytes)
{
	static char value[65536];

	memset(value, 1, sizeof(value));
	printf("%s of %s bytes: ", name, bytes);
	result(setsockopt(fd, SOL_REUSEPORT_BPF, option_of(name), value, atoi(bytes)));
}

/* What is not filled is as it was before. */
static void print_state(socklen_t len)
{
	static union {
		struct reuseport_worker_sockopt all;
		uint32_t words[1024];
		char bytes[16384];
	} state;
	socklen_t asked = len;

	memset(&state, 0xee, sizeof(state));
	if (getsockopt(fd, SOL_REUSEPORT_BPF, REUSEPORT_STATE, &state, &len)) {
		printf("state: %s\n", strerrorname_np(errno));
		return;
	}
	printf("state");
	for (socklen_t i = 0; i < 8 && 4 * i + 4 <= len; i++)
		printf(" %u", state.words[i]);
	if (len == sizeof(state.all))
		printf(" %llu", (unsigned long long)state.all.seq);
	else
		printf(", %u bytes of %u", len, asked);
	if (len < sizeof(state) && state.bytes[len] != (char)0xee)
		printf(", and more was written");
	putchar('\n');
}

/* ------------------------------------------------------------------- commands */

static void make_socket(const char *kind)
{
	add_socket(socket(kind[3] == '6' ? AF_INET6 : AF_INET,
			  kind[0] == 'u' ? SOCK_DGRAM : SOCK_STREAM, 0));
}

/* Return how many words it has taken, or -1. */
static int do_on_socket(char **words, int n)
{
	if (!strcmp(words[0], "raw"))
		return add_socket(socket(AF_INET, SOCK_RAW, IPPROTO_TCP)), 1;
	if (strlen(words[0]) == 4 && (words[0][3] == '4' || words[0][3] == '6'))
		return make_socket(words[0]), 1;
	if (!strcmp(words[0], "socket") && n > 1)
		return fd = sockets[atoi(words[1])], 2;
	if (!strcmp(words[0], "bind") && n > 2)
		return bind_to(words[1], words[2]), 3;
	if (!strcmp(words[0], "device") && n > 1)
		return bind_to_device(words[1]), 2;
	if (!strcmp(words[0], "await") && n > 1)
		return await_state(atoi(words[1])), 2;
	if (!strcmp(words[0], "listen"))
		return listen(fd, 16), 1;
	if (!strcmp(words[0], "bound"))
		return 1;
	if (!strcmp(words[0], "v6only"))
		return set_v6only(), 1;
	if (!strcmp(words[0], "connect"))
		return connect_one(), 1;
	if (!strcmp(words[0], "accept"))
		return accept_one(), 1;
	if (!strcmp(words[0], "set") && n > 2)
		return set(words[1], words[2]), 3;
	if (!strcmp(words[0], "long") && n > 2)
		return set_long(words[1], words[2]), 3;
	if (!strcmp(words[0], "state") && n > 1 && atoi(words[1]))
		return print_state(atoi(words[1])), 2;
	if (!strcmp(words[0], "state"))
		return print_state(sizeof(struct reuseport_worker_sockopt)), 1;
	if (!strcmp(words[0], "send"))
		return send_to_itself(), 1;
	return -1;
}

int main(int argc, char **argv)
{
	const char *hooks = argv[1];
	int taken;

	if (argc < 3)
		die("usage: asker HOOKS COMMAND...");
	for (int i = 2; i < argc; i += taken) {
		taken = do_on_socket(argv + i, argc - i);
		if (taken < 0 && !strcmp(argv[i], "hooks") && i + 1 < argc) {
			hooks = argv[i + 1];
			taken = 2;
		}
		if (taken < 0)
			taken = asker_keep(hooks, fd, argv + i, argc - i);
		if (taken < 0)
			die("no command '%s'", argv[i]);
		fflush(stdout);
	}
	return 0;
}
