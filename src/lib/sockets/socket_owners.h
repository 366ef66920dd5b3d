/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* Holders: which processes have a socket open, and which of them serves it. */
#ifndef SOCKETS_SOCKET_OWNERS_H
#define SOCKETS_SOCKET_OWNERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct holder {
	uint32_t inode; /* of the socket */
	uint32_t pid;
	int fd;
	bool serves; /* an epoll set of the process has it */
};

struct holders {
	struct holder *list; /* sorted by inode, then pid */
	size_t n, room;
	bool denied; /* some process did not let itself be looked into */
};

/*
 * Looks for the sockets with these inodes, which it sorts, in every process; or
 * in only_pid if that is not 0, without a look at its epoll sets. Free h->list
 * with free().
 */
int holders_scan(uint32_t *inodes, size_t n, uint32_t only_pid, struct holders *h);

/* The same for every socket of a list. */
struct sock_diag_list;
int holders_scan_members(const struct sock_diag_list *members, struct holders *h);

/* The holders of one socket: how many, and *first of them. */
size_t holders_of(const struct holders *h, uint32_t inode, const struct holder **first);

/* The one that serves it: whose epoll set has it, else the youngest. */
const struct holder *holders_server(const struct holder *first, size_t n);

/* Name of a process, "" if it is gone; text has 16 bytes. */
void holder_comm(uint32_t pid, char text[16]);

#endif
