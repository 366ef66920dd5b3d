/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * libreuseport-bpf: for privileged programs that steer groups of other users. Conventions as
 * in reuseport_bpf.h.
 *
 * A process that does not want to be looked at can make the kernel wait, for ever if it
 * likes: in a read of its /proc directory, in pidfd_getfd(), in a system call on its socket,
 * in the close of a descriptor that was duplicated from it. Whoever does that hangs, often
 * beyond the reach of SIGKILL.
 *
 * The library starts no processes, so by itself it looks only at processes of the group's
 * own user. A program that calls reuseport_set_isolation() lends it a way to start one. Then
 * it looks at all processes, and it does so in such helpers only: one that makes no progress
 * is given up, and the process that it was looking at is left alone from then on. In such a
 * helper it also looks every second whether a group that this process keeps has its program
 * still, and puts it back where none is; the host's keeper does so in any case.
 */
#ifndef REUSEPORT_ISOLATE_H
#define REUSEPORT_ISOLATE_H

#include "reuseport_bpf.h"

#ifdef __cplusplus
extern "C" {
#endif

/* The helper's name in ps. A process of that name is never taken for a worker. */
#define REUSEPORT_LOOK_NAME "reuseport-look"

/* A function of the library that looks at other processes; it writes what it sees to "out". */
typedef int (*reuseport_look_fn)(void *arg, int out);

struct reuseport_isolation {
	size_t sz;
	/*
	 * Start a process, with this one's memory as it is now, that calls look(arg, out) and
	 * ends; "out" is a pipe. It must have no other descriptor than "out" and the n in
	 * "keep", under their numbers: a copy of a lock or a socket would outlive this process
	 * in it. Return the end of the pipe to read from, non-blocking, or -errno. -EBUSY: too
	 * many that were given up are still there. minor: the look can be done without, so
	 * refuse it sooner.
	 */
	int (*start)(void *ctx, reuseport_look_fn look, void *arg, const int *keep, size_t n,
		     bool minor);
	/* Close the pipe. give_up: kill the process, and never wait for it to end. */
	void (*stop)(void *ctx, int pipe, bool give_up);
	/* Receives a line for each process that is left alone. */
	reuseport_log_fn log;
	void *ctx;
	size_t : 0;
};

/*
 * Look at other processes in helpers, from now on and in all calls; NULL: no longer. The
 * structure is copied. Only for programs that use the library in one thread. Needs no
 * capability. -EINVAL: a function is missing.
 */
int reuseport_set_isolation(const struct reuseport_isolation *isolation,
			    struct reuseport_error *err);

#ifdef __cplusplus
}
#endif

#endif
