/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* Sockets of 127.0.0.1 with SO_REUSEPORT, real packets to them, and descriptors that are sent. */
#ifndef API_SOCKETS_H
#define API_SOCKETS_H

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

static inline double seconds(void)
{
	struct timespec at;

	clock_gettime(CLOCK_MONOTONIC, &at);
	return (double)at.tv_sec + (double)at.tv_nsec / 1e9;
}

static inline struct sockaddr_in loopback(uint16_t port)
{
	return (struct sockaddr_in){ .sin_family = AF_INET,
				     .sin_port = htons(port),
				     .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
}

/* A socket with the option that is not bound. type: SOCK_STREAM or SOCK_DGRAM. */
static inline int unbound_member(int type)
{
	int fd = socket(AF_INET, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0), one = 1;

	return setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &one, sizeof(one)) ? -1 : fd;
}

/* One that is bound, but does not listen. */
static inline int bound_member(int type, uint16_t port)
{
	struct sockaddr_in at = loopback(port);
	int fd = unbound_member(type);

	return bind(fd, (struct sockaddr *)&at, sizeof(at)) ? -1 : fd;
}

/* One that is in its group. */
static inline int member_of(int type, uint16_t port)
{
	int fd = bound_member(type, port);

	return type == SOCK_STREAM && listen(fd, 1024) ? -1 : fd;
}

/* Send n packets, each from a socket of its own: connections, or datagrams. Return how many did
 * not fail. */
static inline int send_packets(int type, uint16_t port, int n)
{
	struct sockaddr_in to = loopback(port);
	int sent = 0;

	for (int i = 0; i < n; i++) {
		int fd = socket(AF_INET, type | SOCK_CLOEXEC, 0);

		if (!connect(fd, (struct sockaddr *)&to, sizeof(to)))
			sent += type == SOCK_STREAM || send(fd, "x", 1, 0) == 1;
		close(fd);
	}
	return sent;
}

/* Take what has come to a member. Return how many packets there were. */
static inline int take_packets(int type, int member)
{
	char byte;
	int n = 0, fd;

	for (;; n++) {
		if (type == SOCK_DGRAM) {
			if (recv(member, &byte, 1, 0) < 0)
				return n;
			continue;
		}
		fd = accept(member, NULL, NULL);
		if (fd < 0)
			return n;
		close(fd);
	}
}

/* Send a descriptor over a unix socket. */
static inline int send_fd(int to, int fd)
{
	union {
		struct cmsghdr align;
		char bytes[CMSG_SPACE(sizeof(int))];
	} control;
	struct iovec part = { .iov_base = (void *)"f", .iov_len = 1 };
	struct msghdr message = { .msg_iov = &part,
				  .msg_iovlen = 1,
				  .msg_control = control.bytes,
				  .msg_controllen = sizeof(control.bytes) };
	struct cmsghdr *head = CMSG_FIRSTHDR(&message);

	memset(&control, 0, sizeof(control));
	head->cmsg_level = SOL_SOCKET;
	head->cmsg_type = SCM_RIGHTS;
	head->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(head), &fd, sizeof(fd));
	return sendmsg(to, &message, 0) == 1 ? 0 : -1;
}

static inline int receive_fd(int from)
{
	union {
		struct cmsghdr align;
		char bytes[CMSG_SPACE(sizeof(int))];
	} control;
	char byte;
	struct iovec part = { .iov_base = &byte, .iov_len = 1 };
	struct msghdr message = { .msg_iov = &part,
				  .msg_iovlen = 1,
				  .msg_control = control.bytes,
				  .msg_controllen = sizeof(control.bytes) };
	int fd;

	if (recvmsg(from, &message, MSG_CMSG_CLOEXEC) != 1 || !CMSG_FIRSTHDR(&message))
		return -1;
	memcpy(&fd, CMSG_DATA(CMSG_FIRSTHDR(&message)), sizeof(fd));
	return fd;
}

#endif
