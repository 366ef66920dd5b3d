/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* Servers for many attachments: processes in namespaces of their own, with groups. */
#ifndef BENCH_SERVERS_H
#define BENCH_SERVERS_H

#include <stddef.h>
#include <sys/types.h>

#define SERVERS 20      /* processes, each in a network namespace */
#define SERVERS_PORTS 5 /* in each, from BENCH_PORT on: a TCP and a UDP group on each */
#define SERVERS_GROUPS (SERVERS * SERVERS_PORTS * 2)
#define SERVERS_MEMBERS 2 /* sockets in each group */

/* Starts them. They end with this process. 0 or -errno, which has been said. */
int servers__start(void);

/* Where the group with that number is: TCP and UDP in turn, spread over the namespaces. */
struct servers_group {
	pid_t server;
	const char *proto;
	int type, port;
};
struct servers_group servers__group(size_t i);

#endif
