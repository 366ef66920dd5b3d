/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* Ways to make packets reach a group of our own, for the run time figures. */
#ifndef BENCH_PACKETS_H
#define BENCH_PACKETS_H

#include <stdbool.h>
#include <stddef.h>

#define MAX_MEMBERS 1024
#define FEW_FLOWS 64     /* UDP clients, each a flow of its own */
#define MANY_FLOWS 32768 /* source ports, of forged datagrams */

struct packets {
	const char *name;
	const char *what;
	int proto;
	unsigned int slice; /* packets in one turn */
	int (*open)(struct packets *packets);
	int (*send)(struct packets *packets, unsigned int n);
	size_t n; /* members */
	int members[MAX_MEMBERS];
	int flows[FEW_FLOWS];
	unsigned int sent;
	bool never_again; /* forged: also another address after all ports */
	int epoll;        /* tells which members got something */
};

/* "udp", "tcp", "flows", "known", "new" or "reads", with the group opened. NULL: said on standard
 * error. */
struct packets *packets__open(const char *name, size_t members);

/* Sends n, each once through the group's program. 0 or -errno. */
int packets__send(struct packets *packets, unsigned int n);

#endif
