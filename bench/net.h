/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* A network namespace of our own, reuseport groups and clients on its loopback. */
#ifndef BENCH_NET_H
#define BENCH_NET_H

#include <stddef.h>

#define BENCH_PORT 8080

/*
 * Moves the process into a new network namespace with loopback up. It ends
 * with the process, whatever ends that. 0 or -errno; every call here that
 * fails has said why on standard error.
 */
int net__enter_own(void);

/*
 * Keeps the process on the last CPU that it may use: without migrations and
 * with one cache, the figures of equal turns lie closer together. CPU 0 is
 * avoided since it usually serves the interrupts.
 */
int net__pin_to_one_cpu(void);

/* A socket of "type" with SO_REUSEPORT, not bound yet. fd or -errno. */
int net__reuseport_socket(int type);

/* Binds to loopback and BENCH_PORT; with SOCK_STREAM also listens. */
int net__bind(int fd);
int net__listen(int fd);

/* The same on another port. */
int net__bind_port(int fd, int port);

/* Both of the above: one more member of the group. fd or -errno. */
int net__member(int type);
int net__member_on(int type, int port);

/* Enters the namespace of another process; returns to that of net__enter_own(). */
int net__enter_of(int pid);
int net__return(void);

/*
 * A socket of "type" connected to the group. fd or -errno, where -ECONNRESET
 * is told without a message: a worker was quick to close.
 */
int net__client(int type);

/* close() with a reset, so that no TIME_WAIT uses up the ports. */
void net__reset(int fd);

#endif
