// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* Plan lock: one process at a time changes the plan and the table. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "clock.h"
#include "error.h"
#include "fd.h"
#include "state/pin_dir.h"
#include "state/pins.h"
#include "state/plan_lock.h"

#define LOCK_PAUSE_MS 1

int plan_lock_make(const struct attachment *at, struct reuseport_error *err)
{
	int ret = pin_dir_make(at->dir, PIN_CHANGING);

	if (ret >= 0)
		return 0;
	return fail(err, -ret, "cannot make %s/" PIN_CHANGING ": %s", at->pin, strerror(-ret));
}

int plan_lock(const struct attachment *at, unsigned int wait_ms, struct reuseport_error *err)
{
	uint64_t until = clock_ns(CLOCK_MONOTONIC) + wait_ms * CLOCK_MS;
	char path[PIN_PATH_MAX];
	int fd;

	pin_dir_join(at->pin, PIN_CHANGING, path, sizeof(path));
	fd = pin_dir_open(at->dir, PIN_CHANGING, path, err);
	if (fd == -ENOENT)
		return fail(err, ESTALE, "%s is missing: attach again", path);
	if (fd < 0)
		return fd;
	while (flock(fd, LOCK_EX | LOCK_NB)) {
		if (errno != EWOULDBLOCK || clock_ns(CLOCK_MONOTONIC) >= until) {
			close(fd);
			return fail(err, EBUSY,
				    "another process is changing %s and does not finish", at->pin);
		}
		clock_sleep_ms(LOCK_PAUSE_MS);
	}
	map_view_fetch(&at->view);
	return fd;
}

int plan_lock_all(const struct attachment *list, size_t n, int **out, struct reuseport_error *err)
{
	int *locks = malloc(n * sizeof(*locks)), ret = 0;

	if (!locks)
		return fail(err, ENOMEM, "out of memory");
	memset(locks, -1, n * sizeof(*locks));
	for (size_t i = 0; ret >= 0 && i < n; i++)
		ret = locks[i] = plan_lock(&list[i], PLAN_LOCK_WAIT_MS, err);
	if (ret < 0) {
		plan_unlock_all(locks, n);
		return ret;
	}
	*out = locks;
	return 0;
}

void plan_unlock_all(int *locks, size_t n)
{
	for (size_t i = 0; i < n; i++)
		fd_close(locks[i]);
	free(locks);
}

void plan_lock_notify(const struct attachment *at)
{
	/* The keeper watches the directory; the name has no meaning. */
	if (pin_dir_make(at->dir, PIN_CHANGED) > 0)
		pin_dir_unmake(at->dir, PIN_CHANGED);
}
