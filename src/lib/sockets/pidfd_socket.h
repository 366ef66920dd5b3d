/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * Duplicate a socket of another process, for a moment (pidfd_getfd). All of this can hang: see
 * socket_visit.h, which calls it where it must not matter.
 */
#ifndef SOCKETS_PIDFD_SOCKET_H
#define SOCKETS_PIDFD_SOCKET_H

#include <stdbool.h>
#include <stdint.h>

#include "host/netns.h"
#include "reuseport_bpf.h"

#define PIDFD_SOCKET_UNSUPPORTED \
	"this kernel has no pidfd_getfd (Linux 5.6): sockets of running servers cannot be reached"

/*
 * Return a duplicate of an owner's descriptor, if it still is the socket with that cookie. The
 * caller must close it at once: while it is open, the socket goes on listening after its owner
 * has died.
 *
 * -ESTALE: the process is gone, or the descriptor is another file by now. -EOPNOTSUPP: the
 * kernel has no pidfd_getfd. -EPERM: no ptrace access to the process. -EINVAL: the descriptor is
 * a thread's own, which this kernel cannot reach.
 */
struct socket_owner;
int pidfd_socket_get(const struct socket_owner *owner, uint64_t cookie,
		     struct reuseport_error *err);

/* Return whether the option is set on the socket: 1 or 0, or -errno. */
int socket_has_reuseport(int fd);
int socket_has_reuseaddr(int fd);

/* Return whether the socket has a peer. */
bool socket_is_connected(int fd);

/* Wait until nobody holds the socket's lock. A helper that is given up here does nothing more
 * when it goes on, other than one that is given up in the change of an option. */
void socket_await_lock(int fd);

/*
 * Return whether the socket is of the key's user, bound to its address, port and device, and
 * in the network namespace: 1 or 0. -errno: the namespace cannot be told.
 */
int socket_matches_key(int fd, const struct reuseport_key *key, const struct netns_ref *ns);

#endif
