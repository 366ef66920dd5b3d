/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* Duplicate a socket of another process, for a moment (pidfd_getfd). */
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

/* Do the same for any owner of the socket that permits it. -ENOENT: no visible process owns
 * it; err is left as it is. */
struct socket_owners;
struct sock_diag_socket;
int pidfd_socket_get_from(const struct socket_owners *owners, const struct sock_diag_socket *member,
			  struct reuseport_error *err);

/* Return a duplicate of one of these sockets, from any process that permits it.
 * -ENOENT: no visible process owns one of them. */
struct sock_diag_list;
int pidfd_socket_get_any(const struct sock_diag_list *members, struct reuseport_error *err);

/* Why sockets are not a group. */
struct pidfd_socket_reason {
	bool denied;      /* no permission to duplicate one */
	bool unsupported; /* no pidfd_getfd */
	bool reuseaddr;
	uint32_t pid;  /* of a process that owns one, */
	char comm[16]; /* and its name */
};

/* Return whether a socket has SO_REUSEPORT, 1 or 0; -ENOENT if no owner permits to
 * read it; another -errno if a limit prevents it. Add to *reason, which may be NULL. */
int pidfd_socket_is_member(const struct socket_owners *owners,
			   const struct sock_diag_socket *socket,
			   struct pidfd_socket_reason *reason);

/* Return whether the option is set on the socket: 1 or 0, or -errno. */
int socket_has_reuseport(int fd);
int socket_has_reuseaddr(int fd);

/*
 * Return whether the socket is of the key's user, bound to its address, port and device, and
 * in the network namespace: 1 or 0. -errno: the namespace cannot be told.
 */
int socket_matches_key(int fd, const struct reuseport_key *key, const struct netns_ref *ns);

#endif
