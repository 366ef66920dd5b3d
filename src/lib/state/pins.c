// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* Pins: one directory per attachment under bpffs, and the lock on it. */
#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "clock.h"
#include "error.h"
#include "fd.h"
#include "host/netns.h"
#include "host/proc.h"
#include "state/pins.h"

#define BPFFS "/sys/fs/bpf"
/* The same of process 1: "ip netns exec" hides the host's /sys behind a
 * private one, and pins made there would vanish with the command. */
#define HOST_BPFFS "/proc/1/root" BPFFS
#define ROOT_NAME "reuseport"

#define TAKE_OVER_TRIES 20 /* of pins_lock, which takes 100 ms each */

/* ------------------------------------------------------------------ names */

static void pins_replace_char(char *text, char from, char to)
{
	for (; *text; text++)
		if (*text == from)
			*text = to;
}

void pins_name(const struct reuseport_key *key, char *name, size_t size)
{
	char addr[INET6_ADDRSTRLEN], device[16] = "", uid[16] = "";

	group_key_addr_text(key, addr, sizeof(addr));
	pins_replace_char(addr, '.', '_'); /* bpffs refuses dots */
	if (key->ifindex)
		snprintf(device, sizeof(device), "-dev%u", key->ifindex);
	if (key->has_uid)
		snprintf(uid, sizeof(uid), "-uid%u", key->uid);
	snprintf(name, size, "%s-%s-%u-%llu%s%s%s", group_key_proto_name(key->proto), addr,
		 key->port, (unsigned long long)key->netns, device, key->v6only ? "-v6only" : "",
		 uid);
}

int pins_parse(const char *name, struct reuseport_key *key)
{
	char proto[4], addr[INET6_ADDRSTRLEN], again[REUSEPORT_PATH_MAX];
	struct reuseport_key parsed = { .sz = sizeof(parsed) };
	unsigned long long netns;
	unsigned int port;
	const char *device, *uid;

	if (sscanf(name, "%3[a-z]-%45[0-9a-f:_]-%u-%llu", proto, addr, &port, &netns) != 4)
		return -EINVAL;
	parsed.proto = !strcmp(proto, "udp") ? IPPROTO_UDP : IPPROTO_TCP;
	parsed.family = strchr(addr, ':') ? AF_INET6 : AF_INET;
	parsed.port = port;
	parsed.netns = netns;
	parsed.v6only = strstr(name, "-v6only");
	device = strstr(name, "-dev");
	if (device && sscanf(device, "-dev%u", &parsed.ifindex) != 1)
		return -EINVAL;
	uid = strstr(name, "-uid");
	parsed.has_uid = uid;
	if (uid && sscanf(uid, "-uid%u", &parsed.uid) != 1)
		return -EINVAL;
	pins_replace_char(addr, '_', '.');
	if (!port || inet_pton(parsed.family, addr, parsed.addr) != 1)
		return -EINVAL;
	pins_name(&parsed, again, sizeof(again));
	if (strcmp(name, again))
		return -EINVAL;
	*key = parsed;
	return 0;
}

const char *pins_join(const char *path, const char *name, char *joined, size_t size)
{
	snprintf(joined, size, "%s/%s", path, name);
	return joined;
}

/* ------------------------------------------------------------------ bpffs */

static bool is_bpffs(const char *path)
{
	struct statfs fs;

	return !statfs(path, &fs) && fs.f_type == BPF_FS_MAGIC;
}

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

static int mount_bpffs(struct reuseport_error *err)
{
	if (mount("bpf", BPFFS, "bpf", 0, "mode=0700"))
		return fail(err, errno == ENOENT ? ENODEV : errno,
			    "bpffs is not mounted on " BPFFS " and cannot be mounted: %s; as "
			    "root: mount -t bpf bpf " BPFFS,
			    strerror(errno));
	return 0;
}

/* Find the mounted bpffs. Without "mount" *bpffs may be NULL. */
static int find_bpffs(bool mount, const char **bpffs, struct reuseport_error *err)
{
	int ret;

	*bpffs = NULL;
	if (is_bpffs(BPFFS)) {
		*bpffs = BPFFS;
		return 0;
	}
	if (in_private_mount_namespace()) {
		if (!is_bpffs(HOST_BPFFS))
			return fail(
				err, ENODEV,
				"bpffs is not mounted on " BPFFS " in this private "
				"mount namespace: run outside of it and name the network "
				"namespace, instead of using 'ip netns exec'; or, for pins that "
				"last as long as it does: mount -t bpf bpf " BPFFS);
		*bpffs = HOST_BPFFS;
		return 0;
	}
	if (!mount)
		return 0;
	ret = mount_bpffs(err);
	if (!ret)
		*bpffs = BPFFS;
	return ret;
}

int pins_path(const struct reuseport_key *key, bool mount, char *path, size_t size,
	      struct reuseport_error *err)
{
	char name[128];
	const char *bpffs;
	int ret;

	ret = find_bpffs(mount, &bpffs, err);
	if (ret)
		return ret;
	if (!bpffs)
		return fail(err, ENOENT, "bpffs is not mounted on " BPFFS);
	pins_name(key, name, sizeof(name));
	snprintf(path, size, "%s/" ROOT_NAME "/%s", bpffs, name);
	return 0;
}

/* ------------------------------------------------------------------- lock */

static int pins_make_directories(const char *path)
{
	char parent[REUSEPORT_PATH_MAX];

	snprintf(parent, sizeof(parent), "%s", path);
	*strrchr(parent, '/') = '\0';
	if (mkdir(parent, 0700) && errno != EEXIST)
		return -errno;
	if (mkdir(path, 0700) && errno != EEXIST)
		return -errno;
	return 0;
}

/* Return whether the locked directory is still the one of that path: a detach may have
 * removed it between open and lock. */
static bool pins_is_same_directory(int fd, const char *path)
{
	struct stat held, named;

	return !fstat(fd, &held) && !stat(path, &named) && held.st_ino == named.st_ino &&
	       held.st_dev == named.st_dev;
}

int pins_lock(const char *path, struct reuseport_error *err)
{
	int fd, ret;

	/* A process that only checks the lock holds it for a moment: try for a while. */
	for (int tries = 0; tries < 20; tries++) {
		ret = pins_make_directories(path);
		if (ret && ret != -ENOENT)
			return fail(err, -ret, "cannot make %s: %s%s", path, strerror(-ret),
				    ret == -EACCES || ret == -EPERM ? "; run as root" : "");
		fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		if (fd < 0 && errno != ENOENT)
			return fail(err, errno, "cannot open %s: %s", path, strerror(errno));
		if (fd >= 0 && !flock(fd, LOCK_EX | LOCK_NB) && pins_is_same_directory(fd, path))
			return fd;
		fd_close(fd);
		clock_sleep_ms(5);
	}
	return fail(err, EBUSY, "%s is in use by another process", path);
}

int pins_take_over(const char *path, struct reuseport_error *err)
{
	char request[REUSEPORT_PATH_MAX + 32];
	int lock = -EBUSY;

	if (mkdir(pins_join(path, PIN_DETACHING, request, sizeof(request)), 0700) &&
	    errno != EEXIST && errno != ENOENT)
		return fail(err, errno, "cannot make %s: %s", request, strerror(errno));
	for (int tries = 0; lock == -EBUSY && tries < TAKE_OVER_TRIES; tries++)
		lock = pins_lock(path, err);
	return lock;
}

bool pins_locked(const char *path)
{
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	bool locked;

	if (fd < 0)
		return false;
	locked = flock(fd, LOCK_SH | LOCK_NB) && errno == EWOULDBLOCK;
	close(fd);
	return locked;
}

/* ------------------------------------------------------------ directories */

int pins_remove(const char *path)
{
	DIR *dir = opendir(path);
	char parent[REUSEPORT_PATH_MAX];
	struct dirent *entry;

	if (!dir)
		return errno == ENOENT ? 0 : -errno;
	while ((entry = readdir(dir)))
		if (entry->d_name[0] != '.' && unlinkat(dirfd(dir), entry->d_name, 0))
			unlinkat(dirfd(dir), entry->d_name, AT_REMOVEDIR);
	closedir(dir);
	if (rmdir(path) && errno != ENOENT)
		return -errno;
	/* With the last one the common directory goes. */
	snprintf(parent, sizeof(parent), "%s", path);
	*strrchr(parent, '/') = '\0';
	rmdir(parent);
	return 0;
}

int pins_for_each(pins_fn fn, void *ctx, struct reuseport_error *err)
{
	char root[64], path[REUSEPORT_PATH_MAX];
	struct reuseport_key key;
	struct dirent *entry;
	const char *bpffs;
	DIR *dir;
	int ret;

	ret = find_bpffs(false, &bpffs, err);
	if (ret || !bpffs)
		return ret;
	snprintf(root, sizeof(root), "%s/" ROOT_NAME, bpffs);
	dir = opendir(root);
	if (!dir && errno != ENOENT)
		return fail(err, errno, "cannot read %s: %s", root, strerror(errno));
	if (!dir)
		return 0;
	while (!ret && (entry = readdir(dir))) {
		if (strlen(entry->d_name) > 120 || pins_parse(entry->d_name, &key))
			continue;
		pins_join(root, entry->d_name, path, sizeof(path));
		ret = fn(ctx, path, &key);
	}
	closedir(dir);
	return ret;
}
