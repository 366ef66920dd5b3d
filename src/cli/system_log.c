// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/*
 * System log: messages to the log daemon of the host. syslog(3) waits for a daemon that does not
 * read, and a keeper would follow no worker meanwhile.
 */
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <syslog.h>
#include <time.h>
#include <unistd.h>

#include "system_log.h"

#define SYSTEM_LOG_LINE 2400

static int daemon_fd = -1;
static bool is_stream; /* there the end of a line is a zero byte */

static void system_log_close(void)
{
	if (daemon_fd >= 0)
		close(daemon_fd);
	daemon_fd = -1;
}

static int system_log_connect(int type)
{
	const struct sockaddr_un to = { .sun_family = AF_UNIX, .sun_path = _PATH_LOG };
	int fd = socket(AF_UNIX, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0), code;

	if (fd < 0)
		return -errno;
	if (!connect(fd, (const struct sockaddr *)&to, sizeof(to)))
		return fd;
	code = errno;
	close(fd);
	return -code;
}

static int system_log_open(void)
{
	int fd = system_log_connect(SOCK_DGRAM);

	is_stream = fd == -EPROTOTYPE;
	if (is_stream)
		fd = system_log_connect(SOCK_STREAM);
	daemon_fd = fd;
	return fd < 0 ? fd : 0;
}

static int system_log_send(const char *text, size_t len)
{
	ssize_t sent = send(daemon_fd, text, len, MSG_NOSIGNAL | MSG_DONTWAIT);

	if (sent == (ssize_t)len)
		return 0;
	/* A part of a line would be the beginning of the next one. */
	return sent < 0 ? -errno : -EPIPE;
}

int system_log(int level, const char *line)
{
	char stamp[32], text[SYSTEM_LOG_LINE];
	time_t now = time(NULL);
	struct tm tm;
	int ret = 0, len;

	localtime_r(&now, &tm);
	strftime(stamp, sizeof(stamp), "%b %e %T", &tm);
	len = snprintf(text, sizeof(text), "<%d>%s reuseportctl[%d]: %s", LOG_DAEMON | level, stamp,
		       getpid(), line);
	if (len >= (int)sizeof(text))
		len = sizeof(text) - 1;
	/* The daemon may have been started anew: the second time is by a new connection. */
	for (int tries = 0; tries < 2; tries++) {
		if (daemon_fd < 0)
			ret = system_log_open();
		if (!ret)
			ret = system_log_send(text, len + is_stream);
		if (!ret || ret == -EAGAIN || daemon_fd < 0)
			break;
		system_log_close();
		ret = 0;
	}
	return ret;
}
