/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * libreuseport-bpf: the host's keeper, one process that keeps all attachments. Conventions as
 * in reuseport_bpf.h.
 *
 * It keeps every attachment of its bpffs, in every network namespace, that no other process
 * keeps: those that were left to it, and those whose keeper has ended. At most one process of
 * a bpffs is it. It is found by what is pinned; whoever attaches needs no connection to it.
 */
#ifndef REUSEPORT_KEEPER_H
#define REUSEPORT_KEEPER_H

#include "reuseport_bpf.h"

#ifdef __cplusplus
extern "C" {
#endif

struct reuseport_keeper;

/* Receives a message. file is what reuseport_attach_opts.log_file named for the attachment that
 * it is about, else NULL. */
typedef void (*reuseport_keeper_log_fn)(void *ctx, const char *file, int level, const char *line);

struct reuseport_keeper_opts {
	size_t sz;
	reuseport_keeper_log_fn log; /* called by __open, __process and __free; may be NULL */
	void *log_ctx;
	bool service; /* stay without an attachment, and take over from a keeper that does not */
	size_t : 0;
};

/*
 * Become the host's keeper of the bpffs on /sys/fs/bpf. Attachments are adopted by __process.
 *
 * -EBUSY: another process is it already, and is a service, or this one would not be; the text
 * names it. A keeper that is no service is asked to end first, which takes some milliseconds.
 * -ENODEV, -EPERM: as reuseport_attach().
 */
int reuseport_keeper_open(const struct reuseport_keeper_opts *opts,
			  struct reuseport_keeper **keeper, struct reuseport_error *err);

/* Return a descriptor that is readable when __process has something to do. It belongs to the
 * handle. */
int reuseport_keeper__fd(const struct reuseport_keeper *keeper);

/*
 * Do a part of the pending work (some milliseconds) without waiting: adopt attachments, and
 * what reuseport_group__process() does for each. While work is left, __fd stays readable.
 * Return how many are kept.
 *
 * -ESHUTDOWN: there is no attachment any longer, or a service takes over; only __free is left.
 * Failures of one attachment are logged and tried again.
 */
int reuseport_keeper__process(struct reuseport_keeper *keeper, struct reuseport_error *err);

/* Stop keeping, and free the handle. Steering goes on. */
void reuseport_keeper__free(struct reuseport_keeper *keeper);

/*
 * Leave a group that this process keeps to the host's keeper, and wait until it is kept,
 * timeout_ms at most. Return the keeper's pid. Only __pin, __key, __free and this call are left
 * then, also after a failure other than the first two.
 *
 * -ENOENT: no process is the host's keeper. -EPERM: this process does not keep the group.
 * -ESTALE: the group was detached meanwhile. -ETIMEDOUT: it is not kept (yet), with the
 * keeper's reason; steering goes on.
 */
int reuseport_group__leave(struct reuseport_group *group, unsigned int timeout_ms,
			   struct reuseport_error *err);

#ifdef __cplusplus
}
#endif

#endif
