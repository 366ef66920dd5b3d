/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * flows: UDP flows that go on, and which worker answers each of them. A flow is a
 * socket with a source address and port of its own; each datagram has a number,
 * which the worker sends back. With --fresh each datagram is a new flow, and no
 * tuple comes twice. Prints a line when the first round is over. Commands on standard
 * input, each answered with a line:
 *   phase NAME   what is sent from now on belongs to this phase; sends nothing more
 *                until all that was sent before is answered or lost
 *   round        is answered when each flow has sent one more datagram, and all that
 *                were sent until then are answered or lost
 *   end COOKIE   from now on this worker may lose its flows: it will die, or it is
 *                released
 * At SIGINT, SIGTERM or the end of input it stops sending, waits for what is missing
 * and prints one JSON line:
 *   lost        no answer within 3 s
 *   again       answers that came twice or late
 *   moved       a flow's answer came from another worker than the one before it
 *   moved_live  of these: the worker before was not announced as ended
 *   flows_moved in a phase: flows with a move, of those that were answered
 */
#include "common.h"

#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#define TIMEOUT_MS 3000
#define DEBT_MS 50       /* what is not sent in time is not made up for after that */
#define IN_FLIGHT 131072 /* a power of two */
#define FIRST_PORT 10000
#define PORTS 50000
#define PHASES 1024
#define STDIN_MARK UINT64_MAX

static const char usage[] = "flows --to ADDR:PORT [--flows N] [--rate PER_SECOND] [--src ADDR]\n"
			    "      [--hosts N] [--first N] [--fresh]\n";

static const struct option options[] = {
	{ "to", 1, NULL, 't' },    { "flows", 1, NULL, 'n' }, { "rate", 1, NULL, 'r' },
	{ "src", 1, NULL, 's' },   { "hosts", 1, NULL, 'H' }, { "first", 1, NULL, 'F' },
	{ "fresh", 0, NULL, 'f' }, { "help", 0, NULL, 'h' },  { 0 },
};

struct worker {
	uint64_t cookie;
	unsigned long answered;
};

struct phase {
	char name[32];
	unsigned long sent, answered, lost, moved, moved_live, flows, flows_moved;
	struct worker *workers;
	size_t n_workers;
};

struct flow {
	int fd;
	uint64_t cookie;                    /* who answered last, 0: nobody yet */
	uint64_t seq;                       /* the datagram that was answered last */
	unsigned int answered_in, moved_in; /* phases, from 1 on */
};

struct datagram {
	uint64_t seq; /* 0: none is missing here */
	int64_t at_ms;
	unsigned int phase;
	struct flow *flow;
	int fd; /* to be closed, or -1 */
};

struct flows {
	struct sockaddr_storage to;
	socklen_t length;
	const char *src;
	int hosts;
	bool fresh;
	long rate, first; /* of the tuples */
	size_t n, next;
	struct flow *list;
	int epfd;
	uint64_t seq, oldest;
	unsigned long missing, refused, again, disordered;
	struct datagram in_flight[IN_FLIGHT];
	struct phase phases[PHASES];
	unsigned int n_phases;
	uint64_t *ended;
	size_t n_ended;
	char pending[32]; /* the phase that is to begin */
	uint64_t round;   /* the last datagram of the round that is waited for, or 0 */
};

static volatile sig_atomic_t stopped;

static void stop(int signal)
{
	(void)signal;
	stopped = 1;
}

static void *grow(void *list, size_t n, size_t size)
{
	list = realloc(list, (n + 1) * size);
	if (!list)
		die("memory");
	return list;
}

/* ---------------------------------------------------------------- the flows */

/* The i-th tuple's source; all differ, so many as there are hosts times ports. */
static void source(const struct flows *flows, long i, struct sockaddr_storage *src)
{
	struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)src;
	struct sockaddr_in *v4 = (struct sockaddr_in *)src;
	uint32_t host = i % flows->hosts;
	int port = FIRST_PORT + i / flows->hosts;

	if (port >= FIRST_PORT + PORTS) {
		errno = 0;
		die("no tuples are left");
	}
	address(src, flows->src, port);
	if (src->ss_family == AF_INET6) {
		v6->sin6_addr.s6_addr[14] += host >> 8;
		v6->sin6_addr.s6_addr[15] += host & 255;
	} else {
		v4->sin_addr.s_addr = htonl(ntohl(v4->sin_addr.s_addr) + host);
	}
}

static int open_flow(struct flows *flows, long i)
{
	struct epoll_event event = { .events = EPOLLIN };
	struct sockaddr_storage src;
	int fd = socket(flows->to.ss_family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	if (fd < 0)
		die("socket");
	source(flows, i, &src);
	if (bind(fd, (struct sockaddr *)&src, flows->length))
		die("bind the source");
	if (connect(fd, (struct sockaddr *)&flows->to, flows->length))
		die("connect");
	event.data.u64 = fd;
	if (epoll_ctl(flows->epfd, EPOLL_CTL_ADD, fd, &event))
		die("epoll_ctl");
	return fd;
}

static struct phase *phase_of(struct flows *flows, unsigned int phase)
{
	return &flows->phases[phase - 1];
}

static void send_one(struct flows *flows)
{
	struct datagram *one = &flows->in_flight[++flows->seq % IN_FLIGHT];
	char text[24];
	int length = snprintf(text, sizeof(text), "%" PRIu64, flows->seq), fd;

	errno = 0;
	if (one->seq)
		die("more than %d datagrams in flight", IN_FLIGHT);
	*one = (struct datagram){
		.seq = flows->seq, .at_ms = now_ms(), .phase = flows->n_phases, .fd = -1
	};
	if (flows->fresh) {
		fd = one->fd = open_flow(flows, flows->first++);
	} else {
		one->flow = &flows->list[flows->next++ % flows->n];
		fd = one->flow->fd;
	}
	phase_of(flows, one->phase)->sent++;
	flows->missing++;
	/* An error of the datagram before may be told first. */
	if (send(fd, text, length, 0) < 0 &&
	    (errno != ECONNREFUSED || send(fd, text, length, 0) < 0))
		die("send");
}

/* -------------------------------------------------------------- the answers */

static bool has_ended(const struct flows *flows, uint64_t cookie)
{
	for (size_t i = 0; i < flows->n_ended; i++)
		if (flows->ended[i] == cookie)
			return true;
	return false;
}

static void count_worker(struct phase *phase, uint64_t cookie)
{
	size_t i = 0;

	while (i < phase->n_workers && phase->workers[i].cookie != cookie)
		i++;
	if (i == phase->n_workers) {
		phase->workers = grow(phase->workers, i, sizeof(*phase->workers));
		phase->workers[phase->n_workers++] = (struct worker){ .cookie = cookie };
	}
	phase->workers[i].answered++;
}

static void count_flow(struct flows *flows, const struct datagram *one, uint64_t cookie)
{
	struct phase *phase = phase_of(flows, one->phase);
	struct flow *flow = one->flow;

	if (one->seq < flow->seq) {
		flows->disordered++;
		return;
	}
	flow->seq = one->seq;
	if (flow->answered_in != one->phase)
		phase->flows++;
	flow->answered_in = one->phase;
	if (flow->cookie && flow->cookie != cookie) {
		phase->moved++;
		phase->moved_live += !has_ended(flows, flow->cookie);
		if (flow->moved_in != one->phase)
			phase->flows_moved++;
		flow->moved_in = one->phase;
	}
	flow->cookie = cookie;
}

/* It is not missing any more. */
static void settle(struct flows *flows, struct datagram *one)
{
	if (one->fd >= 0)
		close(one->fd);
	one->seq = 0;
	flows->missing--;
}

static void receive(struct flows *flows, int fd)
{
	struct datagram *one;
	uint64_t cookie, seq;
	char text[128];
	ssize_t got = recv(fd, text, sizeof(text) - 1, 0);

	if (got < 0) {
		flows->refused += errno == ECONNREFUSED;
		return;
	}
	text[got] = '\0';
	errno = 0;
	if (sscanf(text, "%*d %" SCNu64 " %" SCNu64, &cookie, &seq) != 2)
		die("not a worker's answer: %s", text);
	one = &flows->in_flight[seq % IN_FLIGHT];
	if (one->seq != seq) {
		flows->again++;
		return;
	}
	phase_of(flows, one->phase)->answered++;
	count_worker(phase_of(flows, one->phase), cookie);
	if (one->flow)
		count_flow(flows, one, cookie);
	settle(flows, one);
}

static void expire(struct flows *flows, int64_t now)
{
	while (flows->oldest < flows->seq) {
		struct datagram *one = &flows->in_flight[(flows->oldest + 1) % IN_FLIGHT];

		if (one->seq && now - one->at_ms < TIMEOUT_MS)
			return;
		if (one->seq) {
			phase_of(flows, one->phase)->lost++;
			settle(flows, one);
		}
		flows->oldest++;
	}
}

/* ------------------------------------------------------------- the commands */

static void begin_phase(struct flows *flows, const char *name)
{
	errno = 0;
	if (flows->n_phases == PHASES)
		die("more than %d phases", PHASES);
	snprintf(flows->phases[flows->n_phases++].name, sizeof(flows->pending), "%s", name);
}

static void begin_round(struct flows *flows)
{
	flows->round = flows->seq + (flows->fresh ? 1 : flows->n);
}

static void obey(struct flows *flows, char *line)
{
	char word[16], value[32];
	int words = sscanf(line, "%15s %31s", word, value);

	errno = 0;
	if (words == 1 && !strcmp(word, "round")) {
		begin_round(flows);
	} else if (words == 2 && !strcmp(word, "phase")) {
		strcpy(flows->pending, value);
	} else if (words == 2 && !strcmp(word, "end")) {
		flows->ended = grow(flows->ended, flows->n_ended, sizeof(*flows->ended));
		flows->ended[flows->n_ended++] = strtoull(value, NULL, 10);
		printf("ended %s\n", value);
		fflush(stdout);
	} else {
		die("unknown command: %s", line);
	}
}

static void read_commands(struct flows *flows)
{
	char text[512], *line, *rest = text;
	ssize_t got = read(STDIN_FILENO, text, sizeof(text) - 1);

	if (got <= 0) {
		stopped = 1;
		return;
	}
	text[got] = '\0';
	while ((line = strsep(&rest, "\n")))
		if (*line)
			obey(flows, line);
}

/* ----------------------------------------------------------------- together */

static void take_events(struct flows *flows)
{
	struct epoll_event events[512];
	int n = epoll_wait(flows->epfd, events, 512, 1);

	for (int i = 0; i < n; i++) {
		if (events[i].data.u64 == STDIN_MARK)
			read_commands(flows);
		else
			receive(flows, events[i].data.u64);
	}
}

static void run(struct flows *flows)
{
	int64_t start = now_us(), now;
	uint64_t due = 0, sent = 0;

	while (!stopped || flows->missing) {
		now = now_us();
		if (!stopped && !*flows->pending)
			due = (now - start) * flows->rate / 1000000;
		if (due > sent + DEBT_MS * flows->rate / 1000)
			sent = due - DEBT_MS * flows->rate / 1000;
		if (stopped || *flows->pending)
			sent = due;
		for (int i = 0; i < 64 && sent < due; i++, sent++)
			send_one(flows);
		take_events(flows);
		expire(flows, now_ms());
		if (flows->round && flows->oldest >= flows->round) {
			flows->round = 0;
			puts("round");
			fflush(stdout);
		}
		if (*flows->pending && !flows->missing) {
			begin_phase(flows, flows->pending);
			printf("phase %s\n", flows->pending);
			fflush(stdout);
			*flows->pending = '\0';
			start = now_us();
			due = sent = 0;
		}
	}
}

static void print_counts(const struct phase *phase)
{
	printf("\"sent\":%lu,\"answered\":%lu,\"lost\":%lu,\"moved\":%lu,\"moved_live\":%lu",
	       phase->sent, phase->answered, phase->lost, phase->moved, phase->moved_live);
}

static void print_phase(const struct phase *phase)
{
	printf("{\"name\":\"%s\",", phase->name);
	print_counts(phase);
	printf(",\"flows\":%lu,\"flows_moved\":%lu,\"workers\":{", phase->flows,
	       phase->flows_moved);
	for (size_t i = 0; i < phase->n_workers; i++)
		printf("%s\"%" PRIu64 "\":%lu", i ? "," : "", phase->workers[i].cookie,
		       phase->workers[i].answered);
	printf("}}");
}

static void print(const struct flows *flows)
{
	struct phase all = { 0 };

	for (unsigned int i = 0; i < flows->n_phases; i++) {
		const struct phase *phase = &flows->phases[i];

		all.sent += phase->sent;
		all.answered += phase->answered;
		all.lost += phase->lost;
		all.moved += phase->moved;
		all.moved_live += phase->moved_live;
	}
	printf("{");
	print_counts(&all);
	printf(",\"refused\":%lu,\"again\":%lu,\"disordered\":%lu,\"phases\":[", flows->refused,
	       flows->again, flows->disordered);
	for (unsigned int i = 0; i < flows->n_phases; i++) {
		printf(i ? "," : "");
		print_phase(&flows->phases[i]);
	}
	printf("]}\n");
}

static void open_all(struct flows *flows)
{
	struct epoll_event event = { .events = EPOLLIN, .data.u64 = STDIN_MARK };

	flows->epfd = epoll_set(NULL, 0);
	if (epoll_ctl(flows->epfd, EPOLL_CTL_ADD, STDIN_FILENO, &event))
		die("standard input");
	if (flows->fresh)
		return;
	flows->list = calloc(flows->n, sizeof(*flows->list));
	if (!flows->list)
		die("memory");
	for (size_t i = 0; i < flows->n; i++)
		flows->list[i].fd = open_flow(flows, flows->first + i);
}

int main(int argc, char **argv)
{
	struct sigaction action = { .sa_handler = stop };
	static struct flows flows = { .n = 1000, .rate = 1000 };
	int option;

	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
		switch (option) {
		case 't':
			flows.length = endpoint(&flows.to, optarg);
			break;
		case 'n':
			flows.n = number(optarg, 1, 100000);
			break;
		case 'r':
			flows.rate = number(optarg, 1, 1000000);
			break;
		case 's':
			flows.src = optarg;
			break;
		case 'H':
			flows.hosts = number(optarg, 1, 60000);
			break;
		case 'F':
			flows.first = number(optarg, 0, 100000000);
			break;
		case 'f':
			flows.fresh = true;
			break;
		case 'h':
			fputs(usage, stdout);
			return 0;
		default:
			fputs(usage, stderr);
			return 2;
		}
	}
	if (!flows.length) {
		fputs(usage, stderr);
		return 2;
	}
	if (!flows.src)
		flows.src = flows.to.ss_family == AF_INET ? "127.1.0.1" : "::1";
	if (!flows.hosts)
		flows.hosts = strncmp(flows.src, "127.", 4) ? 1 : 250;
	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
	raise_limits();
	open_all(&flows);
	begin_phase(&flows, "first");
	begin_round(&flows);

	run(&flows);

	print(&flows);
	return 0;
}
