/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* Operations on workers: what weight, drain and admit have in common. */
#ifndef API_WORKER_OPS_H
#define API_WORKER_OPS_H

#include "reuseport_bpf.h"
#include "state/attachment.h"

struct worker_op {
	const char *what; /* "may not WHAT: ..." */
	/* Change the worker's entry. Return false if the operation is not for it. */
	bool (*apply)(struct worker_entry *entry, const struct generations *g, unsigned int value);
	unsigned int value;
	bool spares; /* it is refused if a name that means several workers would leave none of the
		      * group that may get new work */
};

/* Apply it to the workers that "worker" names, NULL: to all, in every attachment that the
 * filter selects. Return their number. */
int worker_ops_run(const struct reuseport_filter *filter, const char *worker,
		   const struct worker_op *op, struct reuseport_error *err);

/* Apply it in the attachment that this process keeps to the worker whose socket is fd, -1: to
 * all. Return their number. */
int worker_ops_run_own(struct reuseport_group *group, int fd, const struct worker_op *op,
		       struct reuseport_error *err);

/* Return 0 if a worker is given, else -EINVAL: to weigh or drain every one is never meant. */
int worker_ops_required(bool given, struct reuseport_error *err);

/* Change the state of a worker; an apply function. */
bool worker_ops_set_state(struct worker_entry *entry, const struct generations *g,
			  unsigned int state);

#endif
