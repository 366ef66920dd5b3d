/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * Port sockets: read the sockets on a port, in the order of the kernel's lookup.
 * sock_diag lists them, and the socket iterators order them.
 */
#ifndef EXPLAIN_PORT_SOCKETS_H
#define EXPLAIN_PORT_SOCKETS_H

#include "reuseport_bpf.h"
#include "sockets/group_iter.h"
#include "sockets/sock_diag.h"

struct port_socket {
	struct sock_diag_socket diag;
	uint64_t group; /* equal for members of one reuseport group; 0: no group */
	bool has_conns; /* of that group */
	int32_t cpu;    /* SO_INCOMING_CPU, -1 for none or not known */
};

struct port_sockets {
	struct port_socket *sockets;
	size_t n;
	bool exact; /* false: the order and the groups are a guess, without iterators */
};

/* How to read the kernel's sockets. */
struct port_sockets_reader {
	struct group_iter *groups; /* NULL: no iterators */
	bool by_address;           /* iter/udp walks the chains by address before those by port. In
				    * both IPv6 sockets with SO_REUSEPORT are added at the end, and
				    * others ahead; but connect() moves a socket in the first alone */
};

/*
 * Read the TCP sockets that listen, or all UDP sockets, on a port in the thread's
 * network namespace. Free on_port->sockets with free().
 */
int port_sockets_read(const struct port_sockets_reader *reader, int proto, uint16_t port,
		      struct port_sockets *on_port, struct reuseport_error *err);

#endif
