// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* Log: writes the messages of the library and the keeper. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
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
	if (write(log->fd, text, len) == len)
		return;
	if (errno == EAGAIN)
		log->dropped++;
	else
		log->error = errno;
}

/* Say how many lines a pipe did not take, once it takes some again. */
static void log_dropped(struct log *log)
{
	unsigned long dropped = log->dropped;
	char line[80];

	log->dropped = 0;
	snprintf(line, sizeof(line), "%lu line%s dropped: the log was not read", dropped,
		 dropped == 1 ? " was" : "s were");
	log_to_file(log, LOG_WARNING, line);
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
	if (log->fd < 0) {
		syslog(level, "%s", safe);
		return;
	}
	if (log->dropped)
		log_dropped(log);
	log_to_file(log, level, safe);
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
