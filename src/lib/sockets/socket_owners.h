/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* Socket owners: which processes have a socket open, and which of them serves it. */
#ifndef SOCKETS_SOCKET_OWNERS_H
#define SOCKETS_SOCKET_OWNERS_H

#include "sockets/owner_scan.h"

/* Find the owners of the sockets with these inodes, in every process. Free owners->list
 * with free(). */
int socket_owners_scan(const uint32_t *inodes, size_t n, struct socket_owners *owners);

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
