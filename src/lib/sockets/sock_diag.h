/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* sock_diag: list the sockets that could be members of a group on a port. */
#ifndef SOCKETS_SOCK_DIAG_H
#define SOCKETS_SOCK_DIAG_H

#include "host/netns.h"
#include "reuseport_bpf.h"

struct sock_diag_socket {
	struct reuseport_key key; /* .netns is left 0 */
	uint64_t cookie;
	uint32_t inode;
	bool mptcp;       /* it listens for MPTCP */
	bool transparent; /* it has IP_TRANSPARENT */
	bool sockmap;     /* it is in a SOCKMAP; not read here, see group_members_choose() */
	bool connected;   /* UDP only: TCP's are not listed */
	uint8_t peer[16]; /* as key.addr; zero if there is none */
	uint16_t peer_port;
	uint32_t queue;       /* TCP: connections to accept; UDP: bytes to receive */
	uint32_t queue_limit; /* as much as there is room for */
	uint32_t drops;       /* TCP: handshakes, UDP: datagrams, that it had no room for */
};

struct sock_diag_list {
	struct sock_diag_socket *sockets;
	size_t n, room;
};

/*
 * List the TCP sockets that listen, or the UDP sockets that are not connected, on a
 * port (0: on any port), in the thread's network namespace. Free list->sockets with
 * free().
 */
int sock_diag_dump(int proto, uint16_t port, struct sock_diag_list *list,
		   struct reuseport_error *err);

/* Do the same, and list UDP sockets that are connected too. */
int sock_diag_dump_all(int proto, uint16_t port, struct sock_diag_list *list,
		       struct reuseport_error *err);

/* List the sockets that have this key, in its namespace ns, sorted by cookie. */
int sock_diag_members(const struct reuseport_key *key, const struct netns_ref *ns,
		      struct sock_diag_list *list, struct reuseport_error *err);

/* Do the same, and list UDP sockets that are connected too. */
int sock_diag_members_all(const struct reuseport_key *key, const struct netns_ref *ns,
			  struct sock_diag_list *list, struct reuseport_error *err);

/* Sort the list by cookie. */
void sock_diag_sort(struct sock_diag_list *list);

/* Return the socket with that cookie in a list sorted by cookie, or NULL. */
const struct sock_diag_socket *sock_diag_find(const struct sock_diag_list *list, uint64_t cookie);

#endif
