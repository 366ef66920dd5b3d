/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* Log: where the library's and the keeper's messages go. */
#ifndef CLI_LOG_H
#define CLI_LOG_H

struct log {
	int fd;    /* of a file or standard error; -1: syslog */
	int least; /* level above which a message is not worth it */
};

/* For reuseport_attach_opts.log, ctx being a struct log. */
void log_line(void *ctx, int level, const char *line);

#endif
