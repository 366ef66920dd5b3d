/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * Epoll sets: whether a process has a socket in one of its sets. Both ways to tell wait for
 * the set's mutex, which a member of the set can hold for ever.
 */
#ifndef SOCKETS_EPOLL_SET_H
#define SOCKETS_EPOLL_SET_H

#include <stddef.h>
#include <stdint.h>

struct socket_owner;

/* Mark those of a process's owners whose sockets are in the set, by reading its fdinfo. */
void epoll_set_read(int epfd, struct socket_owner *owners, size_t n);

/* Return whether the socket is in the set, under the owner's descriptor; 1 or 0, or -errno if
 * the kernel cannot tell. */
int epoll_set_has(int epfd, const struct socket_owner *owner);

#endif
