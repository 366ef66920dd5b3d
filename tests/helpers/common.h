/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * What the test helpers share: numbers, addresses, the sockets of a server and
 * the loop that serves them.
 */
#ifndef TESTS_COMMON_H
#define TESTS_COMMON_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

/* One line on standard error, with errno's text where errno is set; exits 2. */
_Noreturn void die(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* A decimal number in a range, or die. */
long number(const char *text, long min, long max);

/* "tcp" or "udp" as IPPROTO_*, or die. */
int protocol(const char *text);

/* An IPv4 or IPv6 address with a port; returns its length. */
socklen_t address(struct sockaddr_storage *to, const char *text, int port);

/* "A.B.C.D:PORT" or "[V6]:PORT". */
socklen_t endpoint(struct sockaddr_storage *to, const char *text);
void print_endpoint(const struct sockaddr_storage *at);

uint64_t cookie_of(int fd);
int64_t now_ms(void);
int64_t now_us(void);

/* The next number of a sequence that its first state decides. */
uint64_t next_random(uint64_t *state);

/* As many descriptors as the hard limit allows. */
void raise_limits(void);

struct server {
	int proto;
	const char *addr;
	int port;
	bool v6only;
	bool reuseport;
	bool reuseaddr;
	int delay_ms;                /* before each answer */
	int buffer;                  /* SO_RCVBUF, 0: the kernel's default */
	int round_ms;                /* see serve_in_rounds() */
	const char *dev;             /* SO_BINDTODEVICE, or NULL */
	bool mptcp;                  /* of TCP */
	void (*before_bind)(int fd); /* or NULL */
};

/* A bound, and for TCP listening, socket; dies on failure. */
int server_socket(const struct server *server);

/*
 * Blocks SIGTERM and SIGINT, so that they reach serve() alone. Call it before
 * the readiness is announced.
 */
void hold_signals(void);

/* An epoll set with these sockets in it. */
int epoll_set(const int *fds, size_t n);

/*
 * Answers "PID COOKIE\n" on the sockets of an epoll set until SIGTERM or
 * SIGINT. TCP: writes it and closes, whatever the client sends. UDP: "PID COOKIE
 * QUESTION\n".
 */
void serve(const struct server *server, int epfd);

/* How many it has accepted or received so far, to be asked by any thread. */
unsigned long served(void);

/*
 * TCP, until SIGTERM or SIGINT: accepts all that wait once in round_ms, and
 * answers them a round later. The signal closes the listeners at once, whoever
 * waits for them; those accepted are answered.
 */
void serve_in_rounds(const struct server *server, const int *listeners, size_t n);

#endif
