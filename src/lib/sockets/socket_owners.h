/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* Holders: which processes have a socket open, and which of them serves it. */
#ifndef SOCKETS_SOCKET_OWNERS_H
#define SOCKETS_SOCKET_OWNERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct socket_owner {
	uint32_t inode; /* of the socket */
	uint32_t pid;
	int fd;
	bool serves; /* an epoll set of the process has it */
};

struct socket_owners {
	struct socket_owner *list; /* sorted by inode, then pid */
	size_t n, room;
	bool denied; /* some process did not let itself be looked into */
};

/*
 * Looks for the sockets with these inodes, which it sorts, in every process; or
 * in only_pid if that is not 0, without a look at its epoll sets. Free h->list
 * with free().
 */
int socket_owners_scan(uint32_t *inodes, size_t n, uint32_t only_pid, struct socket_owners *h);

/* The same for every socket of a list. */
struct sock_diag_list;
int socket_owners_scan_members(const struct sock_diag_list *members, struct socket_owners *h);

/* The owners of one socket: how many, and *first of them. */
size_t socket_owners_of(const struct socket_owners *h, uint32_t inode,
			const struct socket_owner **first);

/* The one that serves it: whose epoll set has it, else the youngest. */
const struct socket_owner *socket_owners_server(const struct socket_owner *first, size_t n);

#endif
