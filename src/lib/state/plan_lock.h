/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * Plan lock: one process at a time changes the plan and the table of an attachment, its
 * keeper or a command. The lock ends with the process.
 */
#ifndef STATE_PLAN_LOCK_H
#define STATE_PLAN_LOCK_H

#include "state/attachment.h"

/* How long a command waits for the lock. */
#define PLAN_LOCK_WAIT_MS 5000

/* Make the lock's directory in that of the pins. */
int plan_lock_make(const struct attachment *at, struct reuseport_error *err);

/*
 * Take the lock and bring the attachment's view up to date. Returns the fd that
 * holds the lock, or -EBUSY when wait_ms have passed.
 */
int plan_lock(const struct attachment *at, unsigned int wait_ms, struct reuseport_error *err);

/* Take the locks of n attachments, or none of them. plan_unlock_all() frees them. */
int plan_lock_all(const struct attachment *list, size_t n, int **locks,
		  struct reuseport_error *err);
void plan_unlock_all(int *locks, size_t n);

/* Notify the keeper that the policy was changed. */
void plan_lock_notify(const struct attachment *at);

#endif
