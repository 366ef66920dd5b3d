/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * load: a steady load with exact accounting. Each request has a socket, and so
 * a tuple, of its own: TCP connects and reads the worker's line, UDP sends a
 * datagram and reads the reply. Prints "begun" at the first answer, runs for --seconds
 * or until SIGINT or SIGTERM, then prints one JSON line in which sent is the sum of
 * the others:
 *   refused  no listener (a reset of the SYN, ICMP port unreachable)
 *   reset    established, then lost: a reset, or the end without a line
 *   timeout  no answer within 3 s
 * and besides the latencies of those answered, and how many each worker answered,
 * by cookie.
 */
#include "common.h"

#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#define TIMEOUT_MS 3000
#define IN_FLIGHT 8192
#define WORKERS 4096

static const char usage[] =
	"load --to ADDR:PORT [--proto tcp|udp] [--rate PER_SECOND] [--seconds N]\n";

static const struct option options[] = {
	{ "proto", 1, NULL, 'p' },   { "to", 1, NULL, 't' },   { "rate", 1, NULL, 'r' },
	{ "seconds", 1, NULL, 's' }, { "help", 0, NULL, 'h' }, { 0 },
};

enum outcome { OK, REFUSED, RESET, TIMEOUT, OTHER, OUTCOMES };
static const char *const names[OUTCOMES] = { "ok", "refused", "reset", "timeout", "other" };

struct request {
	int fd;        /* -1: free */
	bool answered; /* and counted: only the end is waited for */
	int64_t start_us;
};

struct worker {
	unsigned long long cookie;
	unsigned long answered;
};

struct load {
	struct sockaddr_storage to;
	socklen_t length;
	int proto;
	int epfd;
	unsigned long sent, outcomes[OUTCOMES];
	int free[IN_FLIGHT], n_free; /* indices of free requests, a stack */
	struct request requests[IN_FLIGHT];
	uint32_t *latencies; /* of those answered, in us */
	struct worker workers[WORKERS];
	int n_workers;
};

static volatile sig_atomic_t stopped;

static void stop(int signal)
{
	(void)signal;
	stopped = 1;
}

static enum outcome outcome_of(int err)
{
	switch (err) {
	case ECONNREFUSED:
		return REFUSED;
	case ECONNRESET:
	case EPIPE:
		return RESET;
	case ETIMEDOUT:
		return TIMEOUT;
	default:
		fprintf(stderr, "load: %s\n", strerror(err));
		return OTHER;
	}
}

static void release(struct load *load, int i)
{
	close(load->requests[i].fd);
	load->requests[i].fd = -1;
	load->free[load->n_free++] = i;
}

static void finish(struct load *load, int i, enum outcome outcome)
{
	if (!load->requests[i].answered)
		load->outcomes[outcome]++;
	release(load, i);
}

static void count_worker(struct load *load, unsigned long long cookie)
{
	int i = 0;

	while (i < load->n_workers && load->workers[i].cookie != cookie)
		i++;
	if (i == WORKERS)
		die("more than %d workers", WORKERS);
	if (i == load->n_workers)
		load->workers[load->n_workers++].cookie = cookie;
	load->workers[i].answered++;
}

/*
 * TCP waits for the server's end before it closes with a reset. Else that may
 * cross the end, the answer to which would be a packet to the listeners.
 */
static void answered(struct load *load, int i, const char *line)
{
	unsigned long n = load->outcomes[OK];
	unsigned long long cookie;

	if (!(n & (n - 1)))
		load->latencies = realloc(load->latencies, 2 * (n + 1) * sizeof(uint32_t));
	if (!load->latencies)
		die("memory");
	load->latencies[n] = now_us() - load->requests[i].start_us;
	if (sscanf(line, "%*d %llu", &cookie) == 1)
		count_worker(load, cookie);
	load->outcomes[OK]++;
	load->requests[i].answered = true;
	if (load->proto == IPPROTO_UDP)
		release(load, i);
}

static void begin(struct load *load)
{
	struct linger reset = { .l_onoff = 1 };
	struct epoll_event event = { .events = EPOLLIN };
	bool tcp = load->proto == IPPROTO_TCP;
	int fd, i;

	load->sent++;
	if (!load->n_free) {
		fprintf(stderr, "load: %d requests in flight\n", IN_FLIGHT);
		load->outcomes[OTHER]++;
		return;
	}
	fd = socket(load->to.ss_family, (tcp ? SOCK_STREAM : SOCK_DGRAM) | SOCK_NONBLOCK, 0);
	if (fd < 0)
		die("socket");
	i = load->free[--load->n_free];
	load->requests[i] = (struct request){ .fd = fd, .start_us = now_us() };
	event.data.u32 = i;
	/* Closing with a reset leaves no TIME_WAIT and so enough ports. */
	if (tcp && setsockopt(fd, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset)))
		die("SO_LINGER");
	if ((connect(fd, (struct sockaddr *)&load->to, load->length) && errno != EINPROGRESS) ||
	    (!tcp && send(fd, "?", 1, 0) != 1))
		finish(load, i, outcome_of(errno));
	else if (epoll_ctl(load->epfd, EPOLL_CTL_ADD, fd, &event))
		die("epoll_ctl");
}

static void receive(struct load *load, int i)
{
	char line[64] = "";
	ssize_t got;

	if (load->requests[i].fd < 0)
		return;
	got = recv(load->requests[i].fd, line, sizeof(line) - 1, 0);
	if (got > 0 && line[got - 1] == '\n')
		answered(load, i, line);
	else if (got > 0)
		finish(load, i, OTHER);
	else if (got == 0)
		finish(load, i, RESET);
	else if (errno != EAGAIN)
		finish(load, i, outcome_of(errno));
}

static void expire(struct load *load, int64_t now)
{
	for (int i = 0; i < IN_FLIGHT; i++) {
		if (load->requests[i].fd >= 0 &&
		    now - load->requests[i].start_us / 1000 >= TIMEOUT_MS)
			finish(load, i, TIMEOUT);
	}
}

static void run(struct load *load, long rate, long seconds)
{
	int64_t start = now_ms(), end = start + seconds * 1000, next_expire = start, now;
	unsigned long due = 0;
	bool begun = false;

	while ((now = now_ms()), load->n_free < IN_FLIGHT || !stopped) {
		struct epoll_event events[256];
		int n;

		if (seconds && now >= end)
			stopped = 1;
		if (!stopped)
			due = (now - start) * rate / 1000;
		while (!stopped && load->sent < due)
			begin(load);
		n = epoll_wait(load->epfd, events, 256, 1);
		for (int i = 0; i < n; i++)
			receive(load, events[i].data.u32);
		if (!begun && load->outcomes[OK]) {
			begun = true;
			puts("begun");
			fflush(stdout);
		}
		if (now >= next_expire) {
			expire(load, now);
			next_expire = now + 50;
		}
	}
}

static int by_size(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return x < y ? -1 : x > y;
}

/* The latency that this share of the requests answered did not exceed. */
static uint32_t percentile(const struct load *load, double share)
{
	unsigned long n = load->outcomes[OK];

	return n ? load->latencies[(unsigned long)((n - 1) * share)] : 0;
}

static void print(struct load *load)
{
	if (load->latencies)
		qsort(load->latencies, load->outcomes[OK], sizeof(uint32_t), by_size);
	printf("{\"sent\":%lu", load->sent);
	for (int i = 0; i < OUTCOMES; i++)
		printf(",\"%s\":%lu", names[i], load->outcomes[i]);
	printf(",\"p50_us\":%u,\"p99_us\":%u,\"max_us\":%u,\"workers\":{", percentile(load, 0.5),
	       percentile(load, 0.99), percentile(load, 1));
	for (int i = 0; i < load->n_workers; i++)
		printf("%s\"%llu\":%lu", i ? "," : "", load->workers[i].cookie,
		       load->workers[i].answered);
	printf("}}\n");
}

int main(int argc, char **argv)
{
	struct sigaction action = { .sa_handler = stop };
	static struct load load = { .proto = IPPROTO_TCP };
	long rate = 500, seconds = 0;
	int option;

	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
		switch (option) {
		case 'p':
			load.proto = protocol(optarg);
			break;
		case 't':
			load.length = endpoint(&load.to, optarg);
			break;
		case 'r':
			rate = number(optarg, 1, 1000000);
			break;
		case 's':
			seconds = number(optarg, 1, 3600);
			break;
		case 'h':
			fputs(usage, stdout);
			return 0;
		default:
			fputs(usage, stderr);
			return 2;
		}
	}
	if (!load.length) {
		fputs(usage, stderr);
		return 2;
	}
	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
	raise_limits();
	load.epfd = epoll_set(NULL, 0);
	while (load.n_free < IN_FLIGHT) {
		load.requests[load.n_free].fd = -1;
		load.free[load.n_free] = load.n_free;
		load.n_free++;
	}

	run(&load, rate, seconds);

	print(&load);
	free(load.latencies);
	return 0;
}
