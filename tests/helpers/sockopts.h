/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* The calls that the helper "sockopts" does, for each kind of socket. */
#ifndef TESTS_SOCKOPTS_H
#define TESTS_SOCKOPTS_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/socket.h>

#define SOCKOPTS_ALL ((size_t)-1)

struct sockopt_call {
	const char *name;
	int level, option;
	socklen_t len;
	const void *value; /* getsockopt: what is asked by, and has been set before */
	size_t value_len;  /* getsockopt: so much of it is in the buffer before */
	size_t varies;     /* so many bytes of the answer differ from run to run */
	bool set;
	bool no_buffer, no_len; /* getsockopt: NULL for it */
};

struct sockopt_calls {
	const char *kind;
	const struct sockopt_call *calls;
	size_t n;
};

extern const struct sockopt_calls sockopts_tcp, sockopts_mptcp, sockopts_udp, sockopts_udp6,
	sockopts_unix, sockopts_netlink, sockopts_packet, sockopts_icmp, sockopts_icmp6,
	sockopts_wrong;

/* Makes the long values. */
void sockopts_prepare(void);

/* setsockopt() by io_uring (since 6.7). The same result, with errno. */
int sockopts_by_uring(int fd, const struct sockopt_call *call);

#endif
