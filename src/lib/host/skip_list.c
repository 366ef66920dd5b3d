// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* Skip list: the processes that a look has hung at, and that are left alone while they live. */
#include <poll.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "fd.h"
#include "host/proc.h"
#include "host/skip_list.h"

static struct {
	uint32_t pid;
	int pidfd; /* -1: there was no descriptor left for it */
} list[SKIP_LIST_MAX];

static size_t n, added;

static bool has_ended(size_t i)
{
	struct pollfd end = { .fd = list[i].pidfd, .events = POLLIN };

	return list[i].pidfd < 0 ? !proc_lives(list[i].pid) : poll(&end, 1, 0) == 1;
}

static void remove_at(size_t i)
{
	fd_close(list[i].pidfd);
	memmove(list + i, list + i + 1, (--n - i) * sizeof(list[0]));
}

bool skip_list_add(uint32_t pid)
{
	int pidfd = syscall(SYS_pidfd_open, pid, 0);

	if (!proc_lives(pid)) {
		fd_close(pidfd);
		return false;
	}
	if (n == SKIP_LIST_MAX)
		remove_at(0);
	list[n].pid = pid;
	list[n++].pidfd = pidfd;
	added++;
	return true;
}

void skip_list_forget_ended(void)
{
	for (size_t i = n; i-- > 0;)
		if (has_ended(i))
			remove_at(i);
}

bool skip_list_has(uint32_t pid)
{
	for (size_t i = 0; i < n; i++)
		if (list[i].pid == pid)
			return true;
	return false;
}

size_t skip_list_count(void)
{
	return added;
}

size_t skip_list_pids(uint32_t *pids, size_t max)
{
	size_t count = 0;

	skip_list_forget_ended();
	while (count < n && count < max) {
		pids[count] = list[count].pid;
		count++;
	}
	return count;
}
