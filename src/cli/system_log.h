/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* System log: messages to the log daemon of the host, without ever waiting for it. */
#ifndef CLI_SYSTEM_LOG_H
#define CLI_SYSTEM_LOG_H

/* Send one line. Return 0 or -errno. -EAGAIN: the daemon takes none at this moment. */
int system_log(int level, const char *line);

#endif
