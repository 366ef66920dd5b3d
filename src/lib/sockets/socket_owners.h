/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* Socket owners: which processes have a socket open, and which of them serves it. */
#ifndef SOCKETS_SOCKET_OWNERS_H
#define SOCKETS_SOCKET_OWNERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct socket_owner {
	uint32_t inode; /* of the socket */
	uint32_t pid;
	int fd;
	bool serves; /* the socket is in an epoll set of the process */
};

struct socket_owners {
	struct socket_owner *list; /* sorted by inode, then pid */
	size_t n, room;
	bool denied; /* no permission to inspect some process */
};

/*
 * Find the owners of the sockets with these inodes, which it sorts: in every process,
 * or, if only_pid is not 0, in that one and without its epoll sets. Free owners->list with
 * free().
 */
int socket_owners_scan(uint32_t *inodes, size_t n, uint32_t only_pid, struct socket_owners *owners);

/* Find the owners of every socket of a list. */
struct sock_diag_list;
int socket_owners_scan_members(const struct sock_diag_list *members, struct socket_owners *owners);

/* Return the number of owners of one socket, and the *first of them. */
size_t socket_owners_of(const struct socket_owners *owners, uint32_t inode,
			const struct socket_owner **first);

/* Return the owner that serves the socket: the one with an epoll set that has it, else
 * the youngest process. n is 1 or more. */
const struct socket_owner *socket_owners_server(const struct socket_owner *first, size_t n);

#endif
