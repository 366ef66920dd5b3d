/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* Exit: the exit statuses of every command, and what each means. */
#ifndef CLI_EXIT_H
#define CLI_EXIT_H

#include <reuseport_bpf.h>

enum exit_status {
	EXIT_DONE = 0,
	EXIT_FAILED = 1,
	EXIT_USAGE = 2,
	EXIT_NO_MATCH = 3,
	EXIT_FINDINGS = 4, /* of doctor: warnings or errors */
};

/* Flush standard output. Return EXIT_DONE, or EXIT_FAILED with a message if anything that
 * was printed so far could not be written. Say so once. */
int exit_written(void);

/* Close standard output. Return the status, or EXIT_FAILED if anything could not be
 * written, to standard error neither. */
int exit_closed(int status);

/* Print "reuseportctl: text". Return the exit status for the error: EXIT_NO_MATCH
 * for -ENOENT, else EXIT_FAILED. */
int exit_failed(const struct reuseport_error *error);

/* Do the same, but return EXIT_USAGE for -EINVAL: the error is in an argument. */
int exit_refused(const struct reuseport_error *error);

/* Report that memory is exhausted. Return EXIT_FAILED. */
int exit_no_memory(void);

#endif
