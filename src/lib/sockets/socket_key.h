/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* Socket key: of which group a socket is, or will be, read on a descriptor of it. */
#ifndef SOCKETS_SOCKET_KEY_H
#define SOCKETS_SOCKET_KEY_H

#include <stdbool.h>
#include <stdint.h>

#include "reuseport_bpf.h"

/* Read the cookie, the identity of a socket. -EBADF, -ENOTSOCK: fd is none. */
int socket_key_cookie(int fd, uint64_t *cookie, struct reuseport_error *err);

/* Check that it is a TCP or UDP socket with SO_REUSEPORT, and write its protocol and family. */
int socket_key_kind(int fd, struct reuseport_key *key, struct reuseport_error *err);

/* Explain why its network namespace cannot be told. Return -code. */
int socket_key_explain_netns(int code, struct reuseport_error *err);

/* Return whether a TCP socket listens. */
bool socket_key_listens(int fd);

#endif
