/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * Publish: compile a plan and its table for the workers that there are, into the
 * half that is not in use, and switch to it. Each packet sees the plan before or
 * the plan after. The plan lock must be held, unless no other process knows the
 * maps yet.
 */
#ifndef STATE_PUBLISH_H
#define STATE_PUBLISH_H

#include "reuseport_bpf.h"
#include "state/attachment.h"

/* What a table is compiled from, beside the workers. */
struct plan_spec {
	struct plan plan; /* its width is ignored */
	struct generations generations;
};

/* Return the specification in use. */
struct plan_spec plan_spec_in_use(const struct attachment *at);

/* Publish the plan unless it is in use already. Returns whether it was published. */
int publish_plan(const struct attachment *at, const struct plan_spec *want,
		 struct reuseport_error *err);

/* Publish the plan in use again if the workers have changed. */
int publish_workers(const struct attachment *at, struct reuseport_error *err);

/*
 * Wait until every run of the program that saw the previous plan has ended; about
 * 10 ms. force: wait even if no plan was published since the last wait, because
 * something else was changed.
 */
void publish_synchronize(const struct attachment *at, bool force);

#endif
