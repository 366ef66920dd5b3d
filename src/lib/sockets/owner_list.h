/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* Owner list: processes that have a socket open. */
#ifndef SOCKETS_OWNER_LIST_H
#define SOCKETS_OWNER_LIST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct socket_owner {
	uint32_t inode; /* of the socket */
	uint32_t pid;
	uint32_t tid; /* of the thread whose descriptor it is, if its own table has it; else 0 */
	int fd;
	bool serves;    /* other processes have it open, too, but here it is in an epoll set */
	uint64_t start; /* of the process, as PROC_STAT_START has it */
	char comm[16];  /* of the process */
};

/* Return the thread or process whose descriptor it is. */
static inline uint32_t owner_task(const struct socket_owner *owner)
{
	return owner->tid ? owner->tid : owner->pid;
}

struct socket_owners {
	struct socket_owner *list;
	size_t n, room;
	bool denied;  /* no permission to inspect some process */
	bool serving; /* it is known which of them serves the socket */
};

/* Append an owner. Return 0 or -ENOMEM. */
int owner_list_add(struct socket_owners *owners, const struct socket_owner *owner);

/* Sort by inode, then pid, and keep one entry of each process for a socket. */
void owner_list_sort(struct socket_owners *owners);

#endif
