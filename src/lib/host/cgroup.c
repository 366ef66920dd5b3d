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

/* Where the kernel does not open it (that takes CAP_SYS_ADMIN), its name is "?". */
static void cgroup_program_name(__u32 id, char name[BPF_OBJ_NAME_LEN])
{
	struct bpf_prog_info info = { 0 };
	__u32 len = sizeof(info);
	int fd = bpf_prog_get_fd_by_id(id);

	strcpy(name, "?");
	if (fd < 0)
		return;
	if (!bpf_obj_get_info_by_fd(fd, &info, &len) && *info.name)
		memcpy(name, info.name, BPF_OBJ_NAME_LEN);
	close(fd);
}

static int cgroup_find_obstacle(int cgroup, int type, char *text, size_t size)
{
	__u32 ids[CGROUP_PROGRAMS_MAX] = { 0 }, n = CGROUP_PROGRAMS_MAX, flags = 0;
	char name[BPF_OBJ_NAME_LEN];

	if (bpf_prog_query(cgroup, type, 0, &flags, ids, &n) || !n)
		return 0;
	if (n >= CGROUP_PROGRAMS_MAX) {
		snprintf(text, size,
			 "%d other programs are at the root cgroup, as many as it takes: 'bpftool "
			 "cgroup tree' lists them",
			 CGROUP_PROGRAMS_MAX);
		return -EUSERS;
	}
	if (flags & BPF_F_ALLOW_MULTI)
		return 0;
	cgroup_program_name(ids[0], name);
	snprintf(text, size,
		 "program '%s' (id %u) of another tool is at the root cgroup, and admits no other "
		 "one there",
		 name, ids[0]);
	return -EBUSY;
}

int cgroup_sockopt_obstacle(char *text, size_t size)
{
	int cgroup = cgroup_open_root(), ret;

	if (cgroup < 0)
		return 0;
	ret = cgroup_find_obstacle(cgroup, BPF_CGROUP_SETSOCKOPT, text, size);
	if (!ret)
		ret = cgroup_find_obstacle(cgroup, BPF_CGROUP_GETSOCKOPT, text, size);
	close(cgroup);
	return ret;
}
