/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* Standard descriptors: 0, 1 and 2 are always open, so that no socket, lock or pin gets
 * one of these numbers, and with it what is meant for a standard stream. */
#ifndef CLI_STANDARD_FDS_H
#define CLI_STANDARD_FDS_H

#include <stdbool.h>

/*
 * Open those that the caller closed. To read from standard input or to write to standard
 * output then fails, as it does with a closed descriptor; what is written to standard
 * error is dropped. Call this before anything else is opened. Return false on failure.
 */
bool standard_fds_open(void);

/* Put /dev/null in the place of all three, for a process in the background. */
void standard_fds_to_null(void);

#endif
