// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* Log: writes the messages of the library and the keeper. */
#include <stdio.h>
#include <syslog.h>
#include <time.h>
#include <unistd.h>

#include "log.h"

static const char *log_level_name(int level)
{
	if (level <= LOG_ERR)
		return "error";
	return level == LOG_WARNING ? "warning" : "info";
}

void log_line(void *ctx, int level, const char *line)
{
	const struct log *log = ctx;
	struct timespec now;
	struct tm tm;
	char stamp[32];

	if (level > log->max_level)
		return;
	if (log->fd < 0) {
		syslog(level, "%s", line);
		return;
	}
	clock_gettime(CLOCK_REALTIME, &now);
	localtime_r(&now.tv_sec, &tm);
	strftime(stamp, sizeof(stamp), "%F %T", &tm);
	dprintf(log->fd, "%s.%03ld reuseportctl: %s: %s\n", stamp, now.tv_nsec / 1000000,
		log_level_name(level), line);
}
