/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* Log files: one for each name that "attach --log" gave, and one for all other messages. */
#ifndef CLI_KEEPER_LOG_FILES_H
#define CLI_KEEPER_LOG_FILES_H

#include <stdbool.h>

#include "log.h"

#define LOG_FILES_OPEN 16 /* at a time, beside the one for all others */

struct log_file {
	char path[256]; /* "": none */
	struct log log; /* fd -1: not open (any longer) */
};

struct log_files {
	struct log other;       /* for messages that have no file */
	const char *other_path; /* of it, NULL: it is no file */
	struct log_file files[LOG_FILES_OPEN];
	unsigned int next; /* the one that is closed for another */
};

/* Write a message. A reuseport_keeper_log_fn; ctx is a struct log_files. */
void log_files_line(void *ctx, const char *file, int level, const char *line);

/* Open all of them again by their names. */
void log_files_reopen(struct log_files *files);

void log_files_close(struct log_files *files);

#endif
