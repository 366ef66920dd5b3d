/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* Taking a socket out of the process that holds it, for a moment. */
#ifndef SOCKETS_PIDFD_SOCKET_H
#define SOCKETS_PIDFD_SOCKET_H

#include <stdbool.h>
#include <stdint.h>

#include "reuseport_bpf.h"

#define PIDFD_SOCKET_UNSUPPORTED \
	"this kernel has no pidfd_getfd (Linux 5.6): sockets of running servers cannot be reached"

/*
 * A duplicate of fd "fd" of process "pid", if it still is the socket with that
 * cookie. The caller must close it at once: while it is open, the socket would
 * go on listening after its owner has died.
 *
 * -ESTALE: the process is gone or the fd is another by now. -EOPNOTSUPP: the
 * kernel has no pidfd_getfd. -EPERM: no ptrace access to the process.
 */
int pidfd_socket_get(uint32_t pid, int fd, uint64_t cookie, struct reuseport_error *err);

/* One of these sockets, from whichever process lets it be had. -ENOENT: none of
 * them is held by a process that can be seen. */
struct sock_diag_list;
int pidfd_socket_get_any(const struct sock_diag_list *members, struct reuseport_error *err);

/* What keeps sockets from being a group. */
struct pidfd_socket_reason {
	bool denied;
	bool unsupported; /* no pidfd_getfd */
	bool reuseaddr;
	uint32_t pid; /* of a process that holds one */
};

/* Whether a socket has SO_REUSEPORT: 1 or 0; -ENOENT: no owner lets itself be
 * asked. Adds to *reason, which may be NULL. */
struct socket_owners;
struct sock_diag_socket;
int pidfd_socket_is_member(const struct socket_owners *h, const struct sock_diag_socket *socket,
			   struct pidfd_socket_reason *reason);

/* What was set on it: 1 or 0, or -errno. */
int socket_has_reuseport(int fd);
int socket_has_reuseaddr(int fd);

/* Whether it is bound as the key says: others may share the port alone. */
bool socket_matches_key(int fd, const struct reuseport_key *key);

#endif
