// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* Wait: for what a keeper has to do. */
#include <errno.h>
#include <time.h>

#include "keeper/wait.h"

#define PAUSE_NS 100000000L

int keeper_wait(struct pollfd *fds, nfds_t n, int timeout_ms)
{
	int ready = poll(fds, n, timeout_ms);

	if (ready >= 0)
		return ready;
	if (errno != EINTR)
		nanosleep(&(struct timespec){ .tv_nsec = PAUSE_NS }, NULL);
	for (nfds_t i = 0; i < n; i++)
		fds[i].revents = fds[i].events;
	return (int)n;
}
