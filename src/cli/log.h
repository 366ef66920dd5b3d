/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* Log: writes the messages of the library and the keeper. */
#ifndef CLI_LOG_H
#define CLI_LOG_H

#include <stdbool.h>

struct log {
	int fd;                /* a file or standard error; -1: the log daemon */
	bool never_waits;      /* for who reads it: lines are dropped */
	int max_level;         /* messages of a higher level are dropped */
	int error;             /* errno of the last message that could not be written, or 0 */
	unsigned long dropped; /* messages that were not taken, since the last that was */
};

/* Write one message as one line, with format_text(). A reuseport_log_fn; ctx is a struct
 * log. */
void log_line(void *ctx, int level, const char *line);

/* Open a file to append to. It may be a pipe, to which no one listens: that is not waited for,
 * here or later. Return its descriptor or -errno. */
int log_open(const char *path);

#endif
