// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* Log: writes the messages of the library and the keeper. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <sys/stat.h>
#include <syslog.h>
#include <time.h>
#include <unistd.h>

#include "format.h"
#include "log.h"
#include "system_log.h"

#define LOG_LINE_MAX FORMAT_TEXT_MAX(512)

static const char *log_level_name(int level)
{
	if (level <= LOG_ERR)
		return "error";
	return level == LOG_WARNING ? "warning" : "info";
}

/* Return whether a line can be written without a wait. The descriptor may be another process's,
 * too, so that it cannot be set to O_NONBLOCK; a pipe that takes anything takes PIPE_BUF. */
static bool log_takes_more(int fd)
{
	struct pollfd end = { .fd = fd, .events = POLLOUT };

	return poll(&end, 1, 0) == 1;
}

/* Write "TIME reuseportctl: LEVEL: LINE" by one call: others may append to the file, too. */
static int log_to_file(const struct log *log, int level, const char *line)
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
	if (log->never_waits && !log_takes_more(log->fd))
		return -EAGAIN;
	errno = ENOSPC; /* of a part of it */
	return write(log->fd, text, len) == len ? 0 : -errno;
}

static void log_write(struct log *log, int level, const char *line)
{
	int ret = log->fd < 0 ? system_log(level, line) : log_to_file(log, level, line);

	if (ret == -EAGAIN)
		log->dropped++;
	else if (ret && log->fd >= 0)
		log->error = -ret;
}

/* Say how many lines a pipe or the log daemon did not take, once it takes some again. */
static void log_dropped(struct log *log)
{
	unsigned long dropped = log->dropped;
	char line[80];

	log->dropped = 0;
	snprintf(line, sizeof(line), "%lu line%s dropped: the log was not read", dropped,
		 dropped == 1 ? " was" : "s were");
	log_write(log, LOG_WARNING, line);
	if (log->dropped)
		log->dropped = dropped;
}

void log_line(void *ctx, int level, const char *line)
{
	struct log *log = ctx;
	char safe[LOG_LINE_MAX];

	if (level > log->max_level)
		return;
	format_text(line, safe, sizeof(safe));
	if (log->dropped)
		log_dropped(log);
	log_write(log, level, safe);
}

/* Return 0, or -EMLINK for a file that has another name: somebody may have linked one here that is
 * not a log. */
static int log_check(int fd)
{
	struct stat st;

	if (fstat(fd, &st))
		return -errno;
	return S_ISREG(st.st_mode) && st.st_nlink > 1 ? -EMLINK : 0;
}

int log_open(const char *path)
{
	int ret, fd = open(path,
			   O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY | O_NONBLOCK |
				   O_NOFOLLOW,
			   0600);

	if (fd < 0)
		return -errno;
	ret = log_check(fd);
	if (!ret)
		return fd;
	close(fd);
	return ret;
}
