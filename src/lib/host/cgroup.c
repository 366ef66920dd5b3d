// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* The root of the unified cgroup hierarchy, wherever it is mounted. */
#include <bpf/bpf.h>
#include <errno.h>
#include <fcntl.h>
#include <mntent.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "host/cgroup.h"

static int open_cgroup2(const char *mounts_path, const char *root)
{
	FILE *mounts = setmntent(mounts_path, "re");
	struct mntent *entry;
	char path[512];
	int fd = -1;

	if (!mounts)
		return -1;
	while (fd < 0 && (entry = getmntent(mounts))) {
		if (strcmp(entry->mnt_type, "cgroup2"))
			continue;
		snprintf(path, sizeof(path), "%s%s", root, entry->mnt_dir);
		fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	}
	endmntent(mounts);
	return fd;
}

/* If "ip netns exec" has hidden the mount behind a private /sys, open process 1's. */
int cgroup_open_root(void)
{
	int fd = open_cgroup2("/proc/self/mounts", "");

	if (fd < 0)
		fd = open_cgroup2("/proc/1/mounts", "/proc/1/root");
	return fd < 0 ? -ENOENT : fd;
}

bool cgroup_is_full(int cgroup, int type)
{
	__u32 n = 0;

	return !bpf_prog_query(cgroup, type, 0, NULL, NULL, &n) && n >= CGROUP_PROGRAMS_MAX;
}
