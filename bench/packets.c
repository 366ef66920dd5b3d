// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* Ways to make packets reach a group of our own, for the run time figures. */
#include "packets.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/ip.h>
#include <netinet/udp.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "net.h"

#define BURST 16 /* datagrams between two times of draining */

/* Calls "take" for every member that got something; as many as a burst has. */
static void drain(const struct packets *packets, void (*take)(int member))
{
	struct epoll_event events[BURST];
	int n = epoll_wait(packets->epoll, events, BURST, 0);

	for (int i = 0; i < n; i++)
		take(events[i].data.fd);
}

/* ----------------------------------------------------------- udp: few flows */

static void take_datagrams(int member)
{
	char byte;

	while (recv(member, &byte, sizeof(byte), 0) > 0)
		;
}

static int open_flows(struct packets *packets)
{
	for (size_t i = 0; i < FEW_FLOWS; i++) {
		packets->flows[i] = net__client(SOCK_DGRAM);
		if (packets->flows[i] < 0)
			return packets->flows[i];
	}
	return 0;
}

static int send_datagrams(struct packets *packets, unsigned int n)
{
	for (unsigned int i = 0; i < n; i++) {
		if (send(packets->flows[i % FEW_FLOWS], "x", 1, 0) != 1)
			return -errno;
		if (i % BURST == BURST - 1)
			drain(packets, take_datagrams);
	}
	drain(packets, take_datagrams);
	return 0;
}

/* --------------------------------------- flows: each datagram is of another */

static int open_raw(struct packets *packets)
{
	packets->flows[0] = socket(AF_INET, SOCK_RAW | SOCK_CLOEXEC, IPPROTO_RAW);
	return packets->flows[0] < 0 ? -errno : 0;
}

static int send_forged(struct packets *packets, unsigned int n)
{
	struct sockaddr_in to = { .sin_family = AF_INET };
	struct {
		struct iphdr ip;
		struct udphdr udp;
		char byte;
	} __attribute__((packed)) datagram = {
		.ip = { .version = 4,
			.ihl = 5,
			.ttl = 64,
			.protocol = IPPROTO_UDP,
			.saddr = htonl(INADDR_LOOPBACK),
			.daddr = htonl(INADDR_LOOPBACK) },
		.udp = { .dest = htons(BENCH_PORT), .len = htons(sizeof(struct udphdr) + 1) },
	};

	to.sin_addr.s_addr = datagram.ip.daddr;
	for (unsigned int i = 0; i < n; i++) {
		datagram.udp.source = htons(MANY_FLOWS + packets->sent % MANY_FLOWS);
		if (packets->never_again)
			datagram.ip.saddr = htonl(INADDR_LOOPBACK + packets->sent / MANY_FLOWS);
		packets->sent++;
		if (sendto(packets->flows[0], &datagram, sizeof(datagram), 0,
			   (const struct sockaddr *)&to, sizeof(to)) < 0)
			return -errno;
		if (i % BURST == BURST - 1)
			drain(packets, take_datagrams);
	}
	drain(packets, take_datagrams);
	return 0;
}

/* ------------------------------------------------------------- tcp: one SYN each */

static void take_connections(int member)
{
	int served;

	while ((served = accept(member, NULL, NULL)) >= 0)
		net__reset(served);
}

static int send_syns(struct packets *packets, unsigned int n)
{
	for (unsigned int i = 0; i < n; i++) {
		int client = net__client(SOCK_STREAM);

		if (client < 0)
			return client;
		drain(packets, take_connections);
		close(client);
	}
	return 0;
}

/* -------------------------------------------------------------------------- */

static struct packets kinds[] = {
	{ .name = "udp",
	  .what = "UDP datagrams at full rate (warm)",
	  .proto = IPPROTO_UDP,
	  .slice = 4000,
	  .open = open_flows,
	  .send = send_datagrams },
	{ .name = "tcp",
	  .what = "TCP SYNs (cold)",
	  .proto = IPPROTO_TCP,
	  .slice = 300,
	  .send = send_syns },
	{ .name = "flows",
	  .what = "UDP datagrams, each of another flow",
	  .proto = IPPROTO_UDP,
	  .slice = MANY_FLOWS / 4,
	  .open = open_raw,
	  .send = send_forged },
	{ .name = "known",
	  .what = "UDP datagrams at full rate, of 64 flows",
	  .proto = IPPROTO_UDP,
	  .slice = 4000,
	  .open = open_flows,
	  .send = send_datagrams },
	{ .name = "reads",
	  .what = "UDP datagrams at full rate, fewer of them",
	  .proto = IPPROTO_UDP,
	  .slice = 2000,
	  .open = open_flows,
	  .send = send_datagrams },
	{ .name = "new",
	  .what = "UDP datagrams, each of a flow never seen before",
	  .proto = IPPROTO_UDP,
	  .slice = MANY_FLOWS / 2,
	  .open = open_raw,
	  .send = send_forged,
	  .never_again = true },
};

static int open_members(struct packets *packets)
{
	int type = packets->proto == IPPROTO_TCP ? SOCK_STREAM : SOCK_DGRAM;

	for (size_t i = 0; i < packets->n; i++) {
		struct epoll_event event = { .events = EPOLLIN };

		event.data.fd = packets->members[i] = net__member(type | SOCK_NONBLOCK);
		if (event.data.fd < 0)
			return event.data.fd;
		if (epoll_ctl(packets->epoll, EPOLL_CTL_ADD, event.data.fd, &event))
			return -errno;
	}
	return 0;
}

static int open_group(struct packets *packets, size_t members)
{
	struct rlimit files = { 2 * MAX_MEMBERS, 2 * MAX_MEMBERS };
	int err = 0;

	packets->n = members;
	packets->epoll = epoll_create1(EPOLL_CLOEXEC);
	if (packets->epoll < 0 || setrlimit(RLIMIT_NOFILE, &files))
		err = -errno;
	if (!err)
		err = open_members(packets);
	if (!err && packets->open)
		err = packets->open(packets);
	return err;
}

struct packets *packets__open(const char *name, size_t members)
{
	for (size_t i = 0; i < sizeof(kinds) / sizeof(*kinds); i++) {
		int err;

		if (strcmp(kinds[i].name, name))
			continue;
		err = open_group(&kinds[i], members);
		if (!err)
			return &kinds[i];
		fprintf(stderr, "bench: %s: %s\n", name, strerror(-err));
		return NULL;
	}
	fprintf(stderr, "bench: no packets \"%s\"\n", name);
	return NULL;
}

int packets__send(struct packets *packets, unsigned int n)
{
	return packets->send(packets, n);
}
