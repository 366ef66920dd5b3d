/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* Not a program: what the helpers share, see common.h. */
#include "common.h"

#include <arpa/inet.h>
#include <errno.h>
#include <net/if.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#define BACKLOG 4096

void die(const char *format, ...)
{
	int err = errno;
	va_list args;

	fprintf(stderr, "%s: ", program_invocation_short_name);
	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fprintf(stderr, err ? ": %s\n" : "\n", strerror(err));
	exit(2);
}

long number(const char *text, long min, long max)
{
	char *end;
	long value;

	errno = 0;
	value = strtol(text, &end, 10);
	if (errno || end == text || *end || value < min || value > max)
		die("'%s' is not a number from %ld to %ld", text, min, max);
	return value;
}

int protocol(const char *text)
{
	if (!strcmp(text, "tcp"))
		return IPPROTO_TCP;
	if (!strcmp(text, "udp"))
		return IPPROTO_UDP;
	die("unknown protocol '%s'", text);
}

socklen_t address(struct sockaddr_storage *to, const char *text, int port)
{
	struct sockaddr_in *v4 = (struct sockaddr_in *)to;
	struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)to;
	char plain[INET6_ADDRSTRLEN] = "";
	size_t len = strcspn(text, "%");

	memset(to, 0, sizeof(*to));
	if (len < sizeof(plain))
		memcpy(plain, text, len);
	if (text[len])
		v6->sin6_scope_id = if_nametoindex(text + len + 1);
	if (inet_pton(AF_INET, text, &v4->sin_addr) == 1) {
		v4->sin_family = AF_INET;
		v4->sin_port = htons(port);
		return sizeof(*v4);
	}
	if (inet_pton(AF_INET6, plain, &v6->sin6_addr) == 1) {
		v6->sin6_family = AF_INET6;
		v6->sin6_port = htons(port);
		return sizeof(*v6);
	}
	errno = 0;
	die("'%s' is not an address", text);
}

socklen_t endpoint(struct sockaddr_storage *to, const char *text)
{
	char host[INET6_ADDRSTRLEN + 2];
	const char *colon = strrchr(text, ':');
	size_t length = colon ? (size_t)(colon - text) : 0;

	errno = 0;
	if (!length || length >= sizeof(host))
		die("'%s' is not ADDR:PORT", text);
	memcpy(host, text, length);
	host[length] = '\0';
	if (host[0] == '[' && host[length - 1] == ']') {
		host[length - 1] = '\0';
		memmove(host, host + 1, length - 1);
	}
	return address(to, host, number(colon + 1, 1, 65535));
}

void print_endpoint(const struct sockaddr_storage *at)
{
	const struct sockaddr_in *v4 = (const struct sockaddr_in *)at;
	const struct sockaddr_in6 *v6 = (const struct sockaddr_in6 *)at;
	char text[INET6_ADDRSTRLEN];

	if (at->ss_family == AF_INET)
		printf("%s:%d", inet_ntop(AF_INET, &v4->sin_addr, text, sizeof(text)),
		       ntohs(v4->sin_port));
	else
		printf("[%s]:%d", inet_ntop(AF_INET6, &v6->sin6_addr, text, sizeof(text)),
		       ntohs(v6->sin6_port));
}

uint64_t cookie_of(int fd)
{
	uint64_t cookie;
	socklen_t size = sizeof(cookie);

	if (getsockopt(fd, SOL_SOCKET, SO_COOKIE, &cookie, &size))
		die("SO_COOKIE");
	return cookie;
}

int64_t now_us(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000000LL + now.tv_nsec / 1000;
}

int64_t now_ms(void)
{
	return now_us() / 1000;
}

/* splitmix64: small, and good enough to scatter addresses. */
uint64_t next_random(uint64_t *state)
{
	uint64_t z = *state += 0x9e3779b97f4a7c15;

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
	z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
	return z ^ (z >> 31);
}

void raise_limits(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit))
		die("getrlimit");
	limit.rlim_cur = limit.rlim_max;
	if (setrlimit(RLIMIT_NOFILE, &limit))
		die("setrlimit");
}

static void set_option(int fd, int level, int option, int value)
{
	if (setsockopt(fd, level, option, &value, sizeof(value)))
		die("setsockopt %d %d", level, option);
}

int server_socket(const struct server *server)
{
	struct sockaddr_storage local;
	socklen_t length = address(&local, server->addr, server->port);
	bool tcp = server->proto == IPPROTO_TCP;
	int fd = socket(local.ss_family, (tcp ? SOCK_STREAM : SOCK_DGRAM) | SOCK_NONBLOCK,
			server->mptcp ? IPPROTO_MPTCP : 0);

	if (fd < 0)
		die("socket");
	if (server->reuseport)
		set_option(fd, SOL_SOCKET, SO_REUSEPORT, 1);
	if (server->reuseaddr)
		set_option(fd, SOL_SOCKET, SO_REUSEADDR, 1);
	if (local.ss_family == AF_INET6)
		set_option(fd, IPPROTO_IPV6, IPV6_V6ONLY, server->v6only);
	/* A datagram is answered from the address that it was sent to. */
	if (!tcp && local.ss_family == AF_INET)
		set_option(fd, IPPROTO_IP, IP_PKTINFO, 1);
	else if (!tcp)
		set_option(fd, IPPROTO_IPV6, IPV6_RECVPKTINFO, 1);
	if (server->buffer)
		set_option(fd, SOL_SOCKET, SO_RCVBUFFORCE, server->buffer);
	if (server->dev &&
	    setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, server->dev, strlen(server->dev) + 1))
		die("SO_BINDTODEVICE %s", server->dev);
	if (server->before_bind)
		server->before_bind(fd);
	if (bind(fd, (struct sockaddr *)&local, length))
		die("bind %s:%d", server->addr, server->port);
	if (tcp && listen(fd, BACKLOG))
		die("listen");
	return fd;
}

static volatile sig_atomic_t stopped;

static void stop(int signal)
{
	(void)signal;
	stopped = 1;
}

void hold_signals(void)
{
	struct sigaction action = { .sa_handler = stop };
	sigset_t set;

	sigaction(SIGTERM, &action, NULL);
	sigaction(SIGINT, &action, NULL);
	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigprocmask(SIG_BLOCK, &set, NULL);
}

static void pause_ms(int ms)
{
	struct timespec time = { ms / 1000, ms % 1000 * 1000000L };

	if (ms)
		nanosleep(&time, NULL);
}

static unsigned long n_served;

unsigned long served(void)
{
	return __atomic_load_n(&n_served, __ATOMIC_RELAXED);
}

static int answer(char *text, size_t size, uint64_t cookie)
{
	return snprintf(text, size, "%d %llu\n", getpid(), (unsigned long long)cookie);
}

/* The same with the question behind it. */
static int echo(char *text, size_t size, int fd, const char *question, int length)
{
	return snprintf(text, size, "%d %llu %.*s\n", getpid(), (unsigned long long)cookie_of(fd),
			length, question);
}

static void serve_tcp(const struct server *server, int listener)
{
	char line[64];
	int fd;

	/* A client that has gone is an error of accept or of send: go on. */
	while ((fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC)) >= 0) {
		__atomic_add_fetch(&n_served, 1, __ATOMIC_RELAXED);
		pause_ms(server->delay_ms);
		send(fd, line, answer(line, sizeof(line), cookie_of(listener)), MSG_NOSIGNAL);
		close(fd);
	}
}

static void serve_udp(const struct server *server, int fd)
{
	char data[2048], reply[64], control[256];
	struct sockaddr_storage peer;
	struct iovec part = { data, sizeof(data) };
	struct msghdr message = {
		.msg_name = &peer,
		.msg_namelen = sizeof(peer),
		.msg_iov = &part,
		.msg_iovlen = 1,
		.msg_control = control,
		.msg_controllen = sizeof(control),
	};

	ssize_t got = recvmsg(fd, &message, 0);

	if (got < 0)
		return;
	__atomic_add_fetch(&n_served, 1, __ATOMIC_RELAXED);
	pause_ms(server->delay_ms);
	part.iov_len = echo(reply, sizeof(reply), fd, data, got < 20 ? got : 20);
	part.iov_base = reply;
	message.msg_flags = 0;
	sendmsg(fd, &message, 0);
}

int epoll_set(const int *fds, size_t n)
{
	int epfd = epoll_create1(EPOLL_CLOEXEC);

	if (epfd < 0)
		die("epoll_create1");
	for (size_t i = 0; i < n; i++) {
		struct epoll_event event = { .events = EPOLLIN, .data.fd = fds[i] };

		if (epoll_ctl(epfd, EPOLL_CTL_ADD, fds[i], &event))
			die("epoll_ctl");
	}
	return epfd;
}

void serve(const struct server *server, int epfd)
{
	sigset_t none;

	sigemptyset(&none);
	while (!stopped) {
		struct epoll_event events[64];
		int n = epoll_pwait(epfd, events, 64, -1, &none);

		for (int i = 0; i < n; i++) {
			if (server->proto == IPPROTO_TCP)
				serve_tcp(server, events[i].data.fd);
			else
				serve_udp(server, events[i].data.fd);
		}
	}
}

/* What a round accepted. */
struct accepted {
	int n;
	struct {
		int fd;
		uint64_t cookie; /* of the listener */
	} list[BACKLOG];
};

static void accept_waiting(struct accepted *accepted, int listener, uint64_t cookie)
{
	int fd;

	while (accepted->n < BACKLOG && (fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC)) >= 0) {
		accepted->list[accepted->n].fd = fd;
		accepted->list[accepted->n++].cookie = cookie;
	}
}

static void answer_accepted(struct accepted *accepted)
{
	char line[64];

	for (int i = 0; i < accepted->n; i++) {
		send(accepted->list[i].fd, line,
		     answer(line, sizeof(line), accepted->list[i].cookie), MSG_NOSIGNAL);
		close(accepted->list[i].fd);
	}
	accepted->n = 0;
}

void serve_in_rounds(const struct server *server, const int *listeners, size_t n)
{
	struct timespec round = { server->round_ms / 1000, server->round_ms % 1000 * 1000000L };
	static struct accepted accepted;
	sigset_t none;

	sigemptyset(&none);
	while (ppoll(NULL, 0, &round, &none), !stopped) {
		answer_accepted(&accepted);
		for (size_t i = 0; i < n; i++)
			accept_waiting(&accepted, listeners[i], cookie_of(listeners[i]));
	}
	for (size_t i = 0; i < n; i++)
		close(listeners[i]);
	answer_accepted(&accepted);
}
