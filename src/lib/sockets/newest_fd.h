/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * Newest descriptors: look for a socket in one process, among the descriptors that are likely
 * to be the newest: "near" (-1: none) and a few that follow it, the highest numbers, and the
 * lowest. That is at most 776, so some milliseconds.
 */
#ifndef SOCKETS_NEWEST_FD_H
#define SOCKETS_NEWEST_FD_H

#include <stdint.h>

/* Return the descriptor that is the socket, -ENOENT if it was not found, or -errno. */
int newest_fd_find(uint32_t inode, uint32_t pid, int near);

#endif
