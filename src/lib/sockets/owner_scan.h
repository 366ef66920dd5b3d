/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * Owner scan: search /proc for the processes that have sockets open, in steps of bounded
 * work. Between two steps it keeps its place in /proc, and in a process's descriptors.
 */
#ifndef SOCKETS_OWNER_SCAN_H
#define SOCKETS_OWNER_SCAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct socket_owner {
	uint32_t inode; /* of the socket */
	uint32_t pid;
	int fd;
	bool serves;    /* the socket is in an epoll set of the process */
	uint64_t start; /* of the process, as PROC_STAT_START has it */
};

struct socket_owners {
	struct socket_owner *list; /* sorted by inode, then pid */
	size_t n, room;
	bool denied; /* no permission to inspect some process */
};

struct owner_scan;

/* Begin to search for the owners of the sockets with these inodes. Return 0 or -errno. */
int owner_scan_begin(const uint32_t *inodes, size_t n, struct owner_scan **scan);

/*
 * Look at up to "budget" more descriptors and processes, some 8 us each. Return 1 if the
 * scan is done, 0 if there is more, or -ENOMEM. A process or a descriptor that is gone by
 * now is no error.
 *
 * An epoll set counts as many, and one may exceed what is left of the budget, by 4 ms at
 * most in a process of 100,000 descriptors. Until it is done, the scan has one or two
 * descriptors open.
 */
int owner_scan_step(struct owner_scan *scan, unsigned int budget);

/* Take what was found, and free the scan. Free owners->list with free(). */
void owner_scan_end(struct owner_scan *scan, struct socket_owners *owners);

/* Free a scan, done or not; NULL is allowed. */
void owner_scan_free(struct owner_scan *scan);

/*
 * Look for one socket in one process, among the descriptors that are likely to be the
 * newest: "near" (-1: none) and a few that follow it, the highest numbers, and the lowest.
 * That is at most 776, so some milliseconds. Epoll sets are not looked into. Return whether it
 * was found.
 */
bool owner_scan_newest(uint32_t inode, uint32_t pid, int near, struct socket_owner *owner);

#endif
