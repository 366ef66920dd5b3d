// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/*
 * Kept: whether an attachment has a keeper. A keeper holds the lock on the pins, but so does,
 * for a moment, a helper that it has just forked, also if the keeper is killed meanwhile
 * (reuseport_isolate.h), and a command that looks for joins and leaves (refresh_unkept.h).
 */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "clock.h"
#include "fd.h"
#include "host/proc.h"
#include "state/attachment_entry.h"
#include "state/kept.h"
#include "state/pins.h"

#define PAUSE_MS 5
#define PF_EXITING 0x4 /* of the kernel's task flags */

/* Return whether the process was killed, and only has to notice or to close what it has open:
 * where other processes want the processors, that takes a while. */
static bool kept_is_dying(uint32_t pid)
{
	return proc_stat(pid, PROC_STAT_FLAGS) & PF_EXITING ||
	       proc_stat(pid, PROC_STAT_PENDING) & 1ULL << (SIGKILL - 1);
}

bool kept_has_ended(const struct attachment_entry *entry)
{
	struct pollfd end = { .events = POLLIN };
	bool ended;

	if (!entry->keeper_pid)
		return false;
	/* A killed process is there until its parent has waited for it. */
	end.fd = syscall(SYS_pidfd_open, entry->keeper_pid, 0);
	ended = end.fd < 0 ? errno == ESRCH : poll(&end, 1, 0) == 1;
	fd_close(end.fd);
	return ended || kept_is_dying(entry->keeper_pid);
}

/* Return whether the lock may soon be free: the keeper that is recorded has ended. One in a
 * PID namespace that is not visible here seems to have: that costs the wait. */
static bool kept_may_be_free(int dir)
{
	struct attachment_entry entry = { 0 };
	struct steering pinned;
	uint32_t version;
	int ret = steering_open(&pinned, dir);

	if (!ret || ret == -ENOENT)
		ret = attachment_entry_read(&pinned, &entry, &version);
	steering_close(&pinned);
	return !ret && kept_has_ended(&entry);
}

int kept_by_process(int dir)
{
	int locked;

	for (int waited = 0; (locked = pins_locked(dir)) > 0; waited += PAUSE_MS) {
		if (waited >= KEPT_WAIT_MS || !kept_may_be_free(dir))
			break;
		clock_sleep_ms(PAUSE_MS);
	}
	return locked;
}
