/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * delay: a link with a constant delay between two network namespaces. Makes a
 * tun device "delay" in each, carries every packet from one to the other
 * --one-way-us later, in order, and prints "ready" when both are there; to give
 * them addresses and bring them up is the caller's. It looks at packets once in
 * TICK_US, so that they may be late by twice that, and never early.
 *
 * Ends on SIGTERM or SIGINT, or with its parent, and the devices with it. Then
 * prints one JSON line: packets carried, packets dropped because too many
 * waited or the other device was not up, and how late the latest was.
 */
#include "common.h"

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <time.h>
#include <unistd.h>

#define DEVICE "delay"
#define TICK_US 200
#define MTU 1500
#define WAITING_MAX 8192 /* packets in each direction; a power of 2 */

static const char usage[] = "delay --one-way-us N NETNS NETNS\n";

static const struct option options[] = {
	{ "one-way-us", 1, NULL, 'u' },
	{ "help", 0, NULL, 'h' },
	{ 0 },
};

struct packet {
	int64_t due_us;
	int length;
	char data[MTU];
};

/* A ring: those that wait are from "first" on, up to "next". */
struct direction {
	int from, to;
	unsigned int first, next;
	unsigned long carried, dropped;
	int64_t late_us;
	struct packet ring[WAITING_MAX];
};

static int tun_in(const char *netns)
{
	struct ifreq request = { .ifr_flags = IFF_TUN | IFF_NO_PI };
	char path[256];
	int ns, fd;

	snprintf(path, sizeof(path), "/run/netns/%s", netns);
	ns = open(path, O_RDONLY | O_CLOEXEC);
	if (ns < 0 || setns(ns, CLONE_NEWNET))
		die("namespace %s", netns);
	close(ns);
	fd = open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC);
	strcpy(request.ifr_name, DEVICE);
	if (fd < 0 || ioctl(fd, TUNSETIFF, &request))
		die("a tun device in %s", netns);
	return fd;
}

static void receive(struct direction *way, int64_t one_way_us)
{
	char excess[MTU];
	ssize_t got;

	do {
		bool full = way->next - way->first == WAITING_MAX;
		struct packet *packet = &way->ring[way->next % WAITING_MAX];

		got = read(way->from, full ? excess : packet->data, MTU);
		if (got < 0 && errno != EAGAIN && errno != EINTR)
			die("read from the device");
		if (got > 0 && full) {
			way->dropped++;
		} else if (got > 0) {
			packet->due_us = now_us() + one_way_us;
			packet->length = got;
			way->next++;
		}
	} while (got > 0);
}

static void deliver(struct direction *way)
{
	while (way->first != way->next) {
		struct packet *packet = &way->ring[way->first % WAITING_MAX];
		int64_t late = now_us() - packet->due_us;

		if (late < 0)
			return;
		if (late > way->late_us)
			way->late_us = late;
		if (write(way->to, packet->data, packet->length) == packet->length)
			way->carried++;
		else
			way->dropped++;
		way->first++;
	}
}

/* Until a packet comes, or, if some wait, for a tick. False: it is to end. */
static bool wait_for_more(int signals, struct direction ways[2])
{
	bool waiting = ways[0].first != ways[0].next || ways[1].first != ways[1].next;
	struct timespec tick = { .tv_nsec = TICK_US * 1000 };
	struct pollfd fds[3] = {
		{ .fd = signals, .events = POLLIN },
		{ .fd = ways[0].from, .events = POLLIN },
		{ .fd = ways[1].from, .events = POLLIN },
	};

	ppoll(fds, waiting ? 1 : 3, waiting ? &tick : NULL, NULL);
	return !fds[0].revents;
}

static int end_signals(void)
{
	sigset_t set;
	int fd;

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigprocmask(SIG_BLOCK, &set, NULL);
	fd = signalfd(-1, &set, SFD_CLOEXEC);
	if (fd < 0)
		die("signalfd");
	return fd;
}

static void end_with_parent(void)
{
	if (prctl(PR_SET_PDEATHSIG, SIGTERM))
		die("PR_SET_PDEATHSIG");
	if (getppid() == 1)
		exit(1);
}

int main(int argc, char **argv)
{
	static struct direction ways[2];
	long one_way_us = 0;
	int option, signals;

	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
		switch (option) {
		case 'u':
			one_way_us = number(optarg, 1, 1000000);
			break;
		case 'h':
			fputs(usage, stdout);
			return 0;
		default:
			fputs(usage, stderr);
			return 2;
		}
	}
	if (!one_way_us || argc - optind != 2) {
		fputs(usage, stderr);
		return 2;
	}
	signals = end_signals();
	end_with_parent();
	prctl(PR_SET_TIMERSLACK, 1000); /* ns */
	for (int i = 0; i < 2; i++)
		ways[i].from = ways[!i].to = tun_in(argv[optind + i]);
	printf("ready\n");
	fflush(stdout);

	do {
		for (int i = 0; i < 2; i++) {
			receive(&ways[i], one_way_us);
			deliver(&ways[i]);
		}
	} while (wait_for_more(signals, ways));

	printf("{\"carried\":%lu,\"dropped\":%lu,\"late_us\":%lld}\n",
	       ways[0].carried + ways[1].carried, ways[0].dropped + ways[1].dropped,
	       (long long)(ways[0].late_us > ways[1].late_us ? ways[0].late_us : ways[1].late_us));
	return 0;
}
