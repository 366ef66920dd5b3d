/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* The network namespace of a socket, read on a descriptor of it. */
#ifndef HOST_NETNS_SOCKET_H
#define HOST_NETNS_SOCKET_H

#include "host/netns.h"

/*
 * Return whether the socket is in the namespace: 1 or 0. By its cookie where that is known, else
 * by its inode, which needs CAP_NET_ADMIN in the socket's namespace. -errno: it cannot be told.
 */
int netns_has_socket(const struct netns_ref *ref, int socket);

/* Write the inode of its namespace. -EPERM: this needs CAP_NET_ADMIN there. */
int netns_of_socket(int socket, uint64_t *inode);

#endif
