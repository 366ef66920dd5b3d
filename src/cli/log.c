// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* Log: writes the messages of the library and the keeper. */
#include <errno.h>
#include <stdio.h>
#include <syslog.h>
#include <time.h>
#include <unistd.h>

#include "format.h"
#include "log.h"

#define LOG_LINE_MAX FORMAT_TEXT_MAX(512)

static const char *log_level_name(int level)
{
	if (level <= LOG_ERR)
		return "error";
	return level == LOG_WARNING ? "warning" : "info";
}

/* Write "TIME reuseportctl: LEVEL: LINE" by one call: others may append to the file, too. */
static void log_to_file(struct log *log, int level, const char *line)
{
	char stamp[32], text[LOG_LINE_MAX + 80];
	struct timespec now;
	struct tm tm;
	ssize_t len;

	clock_gettime(CLOCK_REALTIME, &now);
	localtime_r(&now.tv_sec, &tm);
	strftime(stamp, sizeof(stamp), "%F %T", &tm);
	len = snprintf(text, sizeof(text), "%s.%03ld reuseportctl: %s: %s\n", stamp,
		       now.tv_nsec / 1000000, log_level_name(level), line);
	errno = ENOSPC; /* of a part of it */
	if (write(log->fd, text, len) != len)
		log->error = errno;
}

void log_line(void *ctx, int level, const char *line)
{
	struct log *log = ctx;
	char safe[LOG_LINE_MAX];

	if (level > log->max_level)
		return;
	format_text(line, safe, sizeof(safe));
	if (log->fd < 0)
		syslog(level, "%s", safe);
	else
		log_to_file(log, level, safe);
}
