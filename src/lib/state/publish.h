/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * Change: the plan and the table follow the policy and the workers. Whoever
 * changes them, the keeper or a command, holds the change lock; each packet
 * goes by the plan before or by the plan after.
 */
#ifndef STATE_PUBLISH_H
#define STATE_PUBLISH_H

#include "reuseport_bpf.h"
#include "state/map_view.h"

/* Makes the lock's directory in that of the pins. */
int change_lock_make(const char *pin, struct reuseport_error *err);

/* Returns the fd that holds the lock, with what is mapped up to date. Waits for so
 * many ms, then -EBUSY. A command waits CHANGE_WAIT_MS. */
#define CHANGE_WAIT_MS 5000
int change_lock(const char *pin, const struct mapped *mapped, unsigned int wait_ms,
		struct reuseport_error *err);

/* The same of several attachments, all or none; free with the other. */
struct attachment;
int change_lock_all(const struct attachment *list, size_t n, int **locks,
		    struct reuseport_error *err);
void change_unlock_all(int *locks, size_t n);

/* The plan in use. */
const struct plan *change_plan(const struct mapped *mapped);

/* Rules and generations: what a table is compiled from, beside the workers. */
struct change {
	struct plan plan; /* its width is ignored */
	struct generations generations;
};

/* What is in use. */
struct change change_present(const struct mapped *mapped);

/*
 * With the lock held: compiles the table for the workers that there are, and
 * publishes it if it is not what is in use already. Returns whether it was
 * published. sockets is the map.
 */
int change_publish(const struct mapped *mapped, int sockets, const struct change *want,
		   struct reuseport_error *err);

/* The same with everything but the workers as it is. */
int change_follow(const struct mapped *mapped, int sockets, struct reuseport_error *err);

/* With the lock held: waits until no program runs any more that saw the plan before;
 * about 10 ms. "anew" if more than the plan was changed. */
void change_settle(const struct mapped *mapped, bool anew);

/* Tells the keeper that something was changed. */
void change_tell(const char *pin);

#endif
