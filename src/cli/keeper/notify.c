// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* Notify: reports the state of the process to a supervisor, by sd_notify(3)'s protocol. */
#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include "keeper/notify.h"

int notify_open(void)
{
	const char *path = getenv("NOTIFY_SOCKET");
	struct sockaddr_un to = { .sun_family = AF_UNIX };
	const struct timeval patience = { .tv_sec = 1 };
	size_t len = path ? strlen(path) : 0;
	int fd;

	if (!len || len >= sizeof(to.sun_path) || (*path != '/' && *path != '@'))
		return -1;
	memcpy(to.sun_path, path, len);
	if (*path == '@')
		to.sun_path[0] = '\0';
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	/* A supervisor that does not read must not stop its service. */
	if (fd >= 0 && setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience)))
		errno = 0; /* it waits then */
	if (fd >= 0 &&
	    connect(fd, (struct sockaddr *)&to, offsetof(struct sockaddr_un, sun_path) + len)) {
		close(fd);
		fd = -1;
	}
	return fd;
}

void notify_send(int fd, const char *state)
{
	/* Ignore failures: the supervisor may not listen. */
	if (fd >= 0 && send(fd, state, strlen(state), MSG_NOSIGNAL) < 0)
		errno = 0;
}
