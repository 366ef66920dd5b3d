// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* Pins root: bpffs, and the directory in it that has those of all attachments. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "error.h"
#include "host/netns.h"
#include "host/proc.h"
#include "state/pin_dir.h"
#include "state/pins_root.h"

/* The same of process 1: "ip netns exec" hides the host's /sys behind a
 * private one, and pins made there would vanish with the command. */
#define HOST_BPFFS "/proc/1/root" BPFFS

#define MOUNT_BPFFS "mount -t bpf -o mode=0700 bpf " BPFFS

/* Return whether some ancestor, up to process 1, sees other mounts than this process. */
static bool in_private_mount_namespace(void)
{
	uint64_t own, other;
	char path[32];

	if (netns_inode_of("/proc/self/ns/mnt", &own))
		return false;
	for (uint32_t pid = getppid(); pid; pid = proc_stat(pid, PROC_STAT_PARENT)) {
		snprintf(path, sizeof(path), "/proc/%u/ns/mnt", pid);
		if (!netns_inode_of(path, &other) && other != own)
			return true;
	}
	return false;
}

/* Open the bpffs of process 1, at which not even root may always look. */
static int open_host_bpffs(struct reuseport_error *err)
{
	int fd = pin_dir_open_bpffs(HOST_BPFFS, err);

	if (fd != -ENOENT && fd != -EACCES)
		return fd;
	return fail(err, ENODEV,
		    "bpffs is not mounted on " BPFFS " in this private "
		    "mount namespace: run outside of it and name the network "
		    "namespace, instead of using 'ip netns exec'; or, for pins that "
		    "last as long as it does: " MOUNT_BPFFS);
}

static int mount_bpffs(struct reuseport_error *err)
{
	int fd;

	if (mount("bpf", BPFFS, "bpf", 0, "mode=0700"))
		return fail(err, errno == ENOENT ? ENODEV : errno,
			    "bpffs is not mounted on " BPFFS " and cannot be mounted: %s; as "
			    "root: " MOUNT_BPFFS,
			    strerror(errno));
	fd = pin_dir_open_bpffs(BPFFS, err);
	return fd == -ENOENT ? fail(err, ENODEV, "bpffs is not mounted on " BPFFS) : fd;
}

/* Open bpffs and write its path. Mount it if that is wanted and it is missing. */
static int open_bpffs(bool may_mount, const char **path, struct reuseport_error *err)
{
	int fd = pin_dir_open_bpffs(BPFFS, err);

	*path = BPFFS;
	if (fd != -ENOENT)
		return fd;
	if (in_private_mount_namespace()) {
		*path = HOST_BPFFS;
		return open_host_bpffs(err);
	}
	return may_mount ? mount_bpffs(err) : -ENOENT;
}

int pins_open_in(int parent, const char *parent_path, const char *name, bool make, char *path,
		 size_t size, struct reuseport_error *err)
{
	int made = make ? pin_dir_make(parent, name) : 0, fd;

	pin_dir_join(parent_path, name, path, size);
	if (made == -ENOENT) /* the parent was removed at this moment */
		return made;
	if (made < 0)
		return fail(err, -made, "cannot make %s: %s%s", path, strerror(-made),
			    made == -EACCES || made == -EPERM ? "; run as root" : "");
	fd = pin_dir_open(parent, name, path, err);
	if (fd < 0 && made)
		pin_dir_unmake(parent, name);
	return fd;
}

int pins_open_root(bool make, char *path, size_t size, struct reuseport_error *err)
{
	const char *bpffs_path;
	int bpffs = open_bpffs(make, &bpffs_path, err), fd;

	if (bpffs < 0)
		return bpffs;
	fd = pins_open_in(bpffs, bpffs_path, PINS_ROOT, make, path, size, err);
	close(bpffs);
	return fd;
}

int pins_root_in_sight(int root)
{
	struct stat held, named;
	char path[64];
	int fd = pins_open_root(false, path, sizeof(path), NULL), ret;

	if (fd == -ENOENT || fd == -ENODEV)
		return 0;
	if (fd < 0)
		return fd;
	ret = fstat(root, &held) || fstat(fd, &named) ?
		      -errno :
		      held.st_ino == named.st_ino && held.st_dev == named.st_dev;
	close(fd);
	return ret;
}
