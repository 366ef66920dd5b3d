// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* Leave the network namespace: a keeper must not keep one alive. */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdbool.h>
#include <unistd.h>

#include "keeper/leave_netns.h"

void leave_netns(void)
{
	int fd = open("/proc/1/ns/net", O_RDONLY | O_CLOEXEC);
	bool moved = fd >= 0 && !setns(fd, CLONE_NEWNET);

	if (fd >= 0)
		close(fd);
	/* Process 1 may hide its namespace; an empty one serves as well. Without the right
	 * to either, this one lives on with us. */
	if (!moved && unshare(CLONE_NEWNET))
		errno = 0;
}
