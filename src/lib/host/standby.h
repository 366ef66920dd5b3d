/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * Standby: a helper process that is there before it is needed, does one job after the other, and
 * stays. To start a helper takes a process with many descriptors a millisecond and more. It has
 * this process's memory as it was when it was started, so all that a job needs is sent to it.
 * Between two jobs it has no descriptor but those by which it is spoken to.
 */
#ifndef HOST_STANDBY_H
#define HOST_STANDBY_H

#include "host/look_report.h"

#define STANDBY_REQUEST_MAX 1024
#define STANDBY_FDS 4

struct standby_request {
	/* Called in the helper, with copies of the data and of the descriptors. It reports nothing
	 * of a process that is to be skipped. NULL: there is no request. */
	int (*serve)(struct look_report *report, const void *data, const int *fds);
	const void *data;
	size_t size; /* STANDBY_REQUEST_MAX at most */
};

/* Start it, if looks run in helpers, unless there is one that can be used. Returns at once. To be
 * called now and then: one that has ended, or hangs, is replaced. */
void standby_start(void);

/* End it. */
void standby_end(void);

/* All that it has reported is read: it may be given another job. */
void standby_release(void);

/*
 * Send it a request, with n descriptors, STANDBY_FDS at most; it reports records of so many
 * bytes. Write the end of its pipe and its state, which stay its own. Return 0 or -errno.
 * -EBUSY: it has one. -ENOENT: there is none, or it was given up.
 */
int standby_begin(const struct standby_request *request, size_t record, const int *fds, size_t n,
		  int *pipe, struct look_state **state);

#endif
