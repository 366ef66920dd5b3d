/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* Status: attachments as text and as JSON. */
#ifndef CLI_SHOW_STATUS_H
#define CLI_SHOW_STATUS_H

#include "status_interval.h"

struct shown_status {
	const struct reuseport_status *status;
	const struct status_interval *interval; /* NULL: none was asked for */
};

/* The second returns an exit status, with a message on failure. */
void show_status_text(const struct shown_status *list, size_t n);
int show_status_json(const struct shown_status *list, size_t n);

/* Print the table of the workers and of the members without a slot. */
void show_status_table(const struct shown_status *shown);

#endif
