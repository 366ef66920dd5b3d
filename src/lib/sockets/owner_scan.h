/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * Owner scan: search /proc for the processes that have sockets open, beside other work: in a
 * helper process where looks are isolated (host/look.h), else in steps of bounded work.
 */
#ifndef SOCKETS_OWNER_SCAN_H
#define SOCKETS_OWNER_SCAN_H

#include "sockets/owner_walk.h"

struct owner_scan;

/* Begin to search for the owners of these sockets. Return 0 or -errno. */
int owner_scan_begin(const struct wanted_socket *wanted, size_t n, enum owners_wanted what,
		     struct owner_scan **scan);

/*
 * Do a step as owner_walk_step(), or take what the helper has reported. Return 1 if the scan
 * is done, 0 if there is more, or -errno. -EBUSY: it needs a helper, and too many hang. It does
 * not wait.
 */
int owner_scan_step(struct owner_scan *scan, unsigned int budget);

/* Return the descriptor that is readable when there is something to do, -1 if there always
 * is. It may be another one after each step. */
int owner_scan_fd(const struct owner_scan *scan);

/* Return the time, of CLOCK_MONOTONIC, by which there must be a step in any case. */
uint64_t owner_scan_until(const struct owner_scan *scan);

/* Wait until there is something to do. */
void owner_scan_wait(const struct owner_scan *scan);

/* Take what was found, sorted by inode, then pid, and free the scan. Free owners->list with
 * free(). */
void owner_scan_end(struct owner_scan *scan, struct socket_owners *owners);

/* Free a scan, done or not; NULL is allowed. */
void owner_scan_free(struct owner_scan *scan);

#endif
