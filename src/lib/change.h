/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * Change: the plan and the table follow the policy and the workers. Whoever
 * changes them, the keeper or a command, holds the change lock; each packet
 * goes by the plan before or by the plan after.
 */
#ifndef LIB_CHANGE_H
#define LIB_CHANGE_H

#include "mapped.h"
#include "reuseport_bpf.h"

/* Makes the lock's directory in that of the pins. */
int change_lock_make(const char *pin, struct reuseport_error *err);

/* Returns the fd that holds the lock. Waits for so many ms, then -EBUSY. A command
 * waits CHANGE_WAIT_MS. */
#define CHANGE_WAIT_MS 5000
int change_lock(const char *pin, unsigned int wait_ms, struct reuseport_error *err);

/* The plan in use. */
const struct plan *change_plan(const struct mapped *mapped);

/*
 * With the lock held: compiles the table for the workers that there are, by the
 * plan "want" (its width is ignored), and publishes it if it is not what is in
 * use already. Returns whether it was published. sockets is the map.
 */
int change_publish(const struct mapped *mapped, int sockets, const struct plan *want,
		   struct reuseport_error *err);

/* Waits until no program runs any more that saw the plan before; about 10 ms. */
void change_settle(const struct mapped *mapped);

/* Tells the keeper that something was changed. */
void change_tell(const char *pin);

#endif
