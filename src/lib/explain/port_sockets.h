/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * Bucket: the sockets of a port, in the order in which the kernel's lookup
 * meets them. sock_diag lists them, the socket iterators order them.
 */
#ifndef EXPLAIN_PORT_SOCKETS_H
#define EXPLAIN_PORT_SOCKETS_H

#include "reuseport_bpf.h"
#include "sockets/group_iter.h"
#include "sockets/sock_diag.h"

struct bucket_socket {
	struct sock_diag_socket diag;
	uint64_t group; /* equal for members of one reuseport group; 0: of none */
	bool has_conns; /* of that group */
	int32_t cpu;    /* SO_INCOMING_CPU, -1 for none or not known */
};

struct bucket {
	struct bucket_socket *sockets;
	size_t n;
	bool exact; /* false: without iterators, order and groups are a guess */
};

/* How the kernel lets itself be read. */
struct bucket_reader {
	struct group_iter_bpf *groups; /* NULL: it has no iterators */
	bool by_address; /* iter/udp walks the chains by address, before those by port */
};

/*
 * TCP sockets that listen, all UDP sockets, in the network namespace that the
 * thread is in. Free bucket->sockets with free().
 */
int bucket_read(const struct bucket_reader *reader, int proto, uint16_t port, struct bucket *bucket,
		struct reuseport_error *err);

#endif
