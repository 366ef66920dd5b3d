/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* Status look: what the options of "status" select, as it is at one moment. */
#ifndef CLI_STATUS_LOOK_H
#define CLI_STATUS_LOOK_H

#include "options.h"

/* What was read: a list for each port, and pointers into all of them. */
struct status_look {
	uint64_t begun_ns; /* CLOCK_BOOTTIME */
	struct reuseport_status_list **lists;
	size_t n_lists;
	const struct reuseport_status **items;
	size_t n;
};

/* Look. Return an exit status, with a message on failure; free in any case. */
int status_look(const struct options *options, struct status_look *look);
void status_look_free(struct status_look *look);

#endif
