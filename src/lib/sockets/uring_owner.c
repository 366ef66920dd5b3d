// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* io_uring owner: the process that has a socket among an io_uring's registered files only. The
 * kernel shows those in the fdinfo of the io_uring. */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "host/look.h"
#include "host/proc.h"
#include "host/proc_dir.h"
#include "sockets/proc_fd.h"
#include "sockets/uring_owner.h"

struct uring_found {
	uint32_t pid;
	char comm[16];
};

static bool uring_has(uint32_t pid, long fd, const char *socket)
{
	char path[48], line[256];
	bool has = false;
	FILE *info;

	snprintf(path, sizeof(path), "/proc/%u/fdinfo/%ld", pid, fd);
	info = fopen(path, "re");
	while (info && !has && fgets(line, sizeof(line), info))
		has = strstr(line, socket);
	if (info)
		fclose(info);
	return has;
}

static bool process_has(struct look_report *report, uint32_t pid, const char *socket)
{
	struct proc_dir fds;
	uint32_t inode;
	bool has = false;
	long fd;

	if (proc_fds_open(pid, &fds))
		return false;
	while (!has && (fd = proc_dir_next(&fds)) >= 0) {
		/* Many descriptors take long, which is no reason to leave the process alone. */
		look_progress(report);
		has = proc_fd_read(&fds, fd, &inode) == PROC_FD_IO_URING &&
		      uring_has(pid, fd, socket);
	}
	proc_dir_close(&fds);
	return has;
}

static int uring_search(struct look_report *report, void *arg)
{
	const uint32_t *inode = arg;
	struct uring_found found = { 0 };
	struct proc_dir processes;
	char socket[32];
	long pid;
	int ret = 0;

	snprintf(socket, sizeof(socket), " socket:[%u]", *inode);
	if (proc_dir_open(&processes, "/proc"))
		return 0;
	while (!ret && !found.pid && (pid = proc_dir_next(&processes)) >= 0) {
		if (!look_at(report, pid) || !process_has(report, pid, socket))
			continue;
		found.pid = pid;
		proc_comm(pid, found.comm);
		ret = look_tell(report, &found);
	}
	proc_dir_close(&processes);
	return ret;
}

static void uring_take(void *ctx, const void *record)
{
	memcpy(ctx, record, sizeof(struct uring_found));
}

bool uring_owner_find(uint32_t inode, uint32_t *pid, char *comm)
{
	struct uring_found found = { 0 };
	const struct look_job job = { .run = uring_search,
				      .arg = &inode,
				      .record = sizeof(found),
				      .take = uring_take,
				      .ctx = &found,
				      .minor = true };

	/* Without helpers, others are not looked at. */
	if (!inode || !look_isolated() || look_run(&job) || !found.pid)
		return false;
	*pid = found.pid;
	memcpy(comm, found.comm, sizeof(found.comm));
	return true;
}
