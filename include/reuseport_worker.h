/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * libreuseport-bpf: what a worker says and asks about itself: thin calls over the socket options of
 * reuseport_sockopt.h, which any program may use without the library.
 *
 *     reuseport_worker_ready(fd, true);
 *     ...
 *     if (!reuseport_worker_drain(fd, 1))
 *             reuseport_worker_wait_drained(fd, 10000);
 *
 * A worker is named by a descriptor of its socket, which is all the permission that it takes: no
 * call needs a capability. Each returns 0 or -errno. -ENOTCONN, -ENOPROTOOPT and -EOPNOTSUPP mean
 * that nothing steers this socket: a server carries on without. So does -EPERM: the attachment does
 * not take requests of its workers, or the kernel is older than 5.18, where any error reads so.
 *
 * Threads: any, at the same time, on one socket too. Kernel: as reuseport_sockopt.h says.
 */
#ifndef REUSEPORT_WORKER_H
#define REUSEPORT_WORKER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "reuseport_sockopt.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Ask for work, or for none until the worker is ready again. */
int reuseport_worker_ready(int fd, bool ready);

/* Ask for nothing new. drain 1: sticky flows stay here; 2: they go to others, too; 0: undo.
 * -EINVAL: it is another number. */
int reuseport_worker_drain(int fd, unsigned int drain);

/* Ask for a weight, 0 to 1000. -EINVAL: it is larger. */
int reuseport_worker_set_weight(int fd, unsigned int weight);

/* Give the worker a number of the server's own. -EEXIST: another worker of its generation has
 * it. */
int reuseport_worker_set_id(int fd, uint32_t id);

/*
 * Read what holds for the worker. size is the size of *state, as the caller knows it: what the
 * kernel does not fill of it is zero. -EINVAL: it is less than 4.
 */
int reuseport_worker_get_state(int fd, struct reuseport_worker_sockopt *state, size_t size);

/*
 * Wait until the first "seq" requests that this socket has made since socket(), by whichever
 * process, are in effect: no packet goes by an older plan any more. For a request that is made
 * next, when all before it are in effect, that is state.seq + 1. timeout_ms: 0: look once; -1: wait
 * for ever. -ETIMEDOUT: they are not in effect yet, as while no keeper runs.
 */
int reuseport_worker_wait(int fd, uint64_t seq, int timeout_ms);

/*
 * Wait until the worker, which was asked to drain, gets nothing new and has nothing queued or half
 * open: to close the socket then loses nothing. Sticky flows are not waited for. What is queued
 * goes only if another thread or process takes it. timeout_ms and -ETIMEDOUT: as above.
 */
int reuseport_worker_wait_drained(int fd, int timeout_ms);

#ifdef __cplusplus
}
#endif

#endif
