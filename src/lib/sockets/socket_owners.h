/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* Socket owners: which processes have a socket open, and which of them serves it. */
#ifndef SOCKETS_SOCKET_OWNERS_H
#define SOCKETS_SOCKET_OWNERS_H

#include "sockets/owner_walk.h"

/* Find the owners of these sockets. Free owners->list with free(). Return 0 or -errno, as
 * owner_scan_step(). */
int socket_owners_scan(const struct wanted_socket *wanted, size_t n, enum owners_wanted what,
		       struct socket_owners *owners);

/* Find the owners of every socket of a list. */
struct sock_diag_list;
int socket_owners_scan_members(const struct sock_diag_list *members, enum owners_wanted what,
			       struct socket_owners *owners);

/* Return what to look for: the sockets of the list, to be freed; NULL if out of memory. */
struct wanted_socket *socket_owners_wanted(const struct sock_diag_list *members);

/* Return the number of owners of one socket, and the *first of them. */
size_t socket_owners_of(const struct socket_owners *owners, uint32_t inode,
			const struct socket_owner **first);

/* Return the owner that serves the socket: the only one, the one with an epoll set that has
 * it, or else the youngest process. n is 1 or more. */
const struct socket_owner *socket_owners_server(const struct socket_owner *first, size_t n);

#endif
