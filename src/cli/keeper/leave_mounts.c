// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* Leave the mount namespace: a keeper that is left behind must not keep the caller's alive. */
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <sched.h>
#include <stdbool.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "keeper/leave_mounts.h"

#define BPFFS "/sys/fs/bpf"
#define HOST "/proc/1/root"

/* Write which bpffs is mounted there. Return whether there is one. */
static bool bpffs_at(const char *path, dev_t *device)
{
	struct statfs fs;
	struct stat file;

	if (statfs(path, &fs) || fs.f_type != BPF_FS_MAGIC || stat(path, &file))
		return false;
	*device = file.st_dev;
	return true;
}

/* Return whether the pins are in the bpffs of process 1, and which one that is. Where this
 * namespace has none, they are: see state/pins_root.c. */
static bool pins_are_at_host(dev_t *device)
{
	dev_t own;

	return bpffs_at(HOST BPFFS, device) && (!bpffs_at(BPFFS, &own) || own == *device);
}

/* Enter that of process 1, unless another bpffs is mounted there than the one that was seen. */
static void enter_host(int host, int own, dev_t wanted)
{
	dev_t device;

	if (setns(host, CLONE_NEWNS))
		return;
	if (!bpffs_at(BPFFS, &device) || device != wanted)
		errno = setns(own, CLONE_NEWNS) ? errno : 0;
}

void leave_mounts(void)
{
	int own = open("/proc/self/ns/mnt", O_RDONLY | O_CLOEXEC);
	int host = open("/proc/1/ns/mnt", O_RDONLY | O_CLOEXEC);
	dev_t device;

	if (own >= 0 && host >= 0 && pins_are_at_host(&device))
		enter_host(host, own, device);
	if (host >= 0)
		close(host);
	if (own >= 0)
		close(own);
}
