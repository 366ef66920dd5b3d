// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* Pins: one directory per attachment under bpffs, and the lock on it. */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mount.h>
#include <unistd.h>

#include "clock.h"
#include "error.h"
#include "fd.h"
#include "host/netns.h"
#include "host/proc.h"
#include "state/pin_dir.h"
#include "state/pins.h"

/* The same of process 1: "ip netns exec" hides the host's /sys behind a
 * private one, and pins made there would vanish with the command. */
#define HOST_BPFFS "/proc/1/root" BPFFS
#define ROOT_NAME "reuseport"

#define MOUNT_BPFFS "mount -t bpf -o mode=0700 bpf " BPFFS

#define LOCK_PAUSE_MS 5
#define LOCK_TRIES 20       /* a process that only checks the lock holds it for a moment */
#define TAKE_OVER_TRIES 400 /* 2 s for a keeper to release it */

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

/* ------------------------------------------------------------------ bpffs */

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

/* Open a directory in "parent", and write its path; make it first if that is wanted. */
static int open_in(int parent, const char *parent_path, const char *name, bool make, char *path,
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

/* Open the directory that has those of all attachments. */
static int open_root(bool make, char *path, size_t size, struct reuseport_error *err)
{
	const char *bpffs_path;
	int bpffs = open_bpffs(make, &bpffs_path, err), fd;

	if (bpffs < 0)
		return bpffs;
	fd = open_in(bpffs, bpffs_path, ROOT_NAME, make, path, size, err);
	close(bpffs);
	return fd;
}

static int open_attachment(const char *name, bool make, char *path, size_t size,
			   struct reuseport_error *err)
{
	char root_path[64];
	int root = open_root(make, root_path, sizeof(root_path), err), fd;

	if (root < 0)
		return root;
	fd = open_in(root, root_path, name, make, path, size, err);
	/* Unless there are others. */
	if (fd < 0 && make)
		unlinkat(root, "../" ROOT_NAME, AT_REMOVEDIR);
	close(root);
	return fd;
}

int pins_open(const char *name, char *path, size_t size, struct reuseport_error *err)
{
	return open_attachment(name, false, path, size, err);
}

const char *pins_name_in(const char *path)
{
	const char *last = strrchr(path, '/');

	return last ? last + 1 : path;
}

/* ------------------------------------------------------------------- lock */

int pins_lock(const char *name, char *path, size_t size, struct reuseport_error *err)
{
	int fd;

	for (int tries = 0; tries < LOCK_TRIES; tries++) {
		fd = open_attachment(name, true, path, size, err);
		/* -ENOENT, or another directory: a detach removed it meanwhile. */
		if (fd < 0 && fd != -ENOENT)
			return fd;
		if (fd >= 0 && !flock(fd, LOCK_EX | LOCK_NB) && pin_dir_is_named(fd, name) > 0)
			return fd;
		fd_close(fd);
		clock_sleep_ms(LOCK_PAUSE_MS);
	}
	return fail(err, EBUSY, "%s is in use by another process", path);
}

static int lock_open_directory(int dir, const char *path, int tries, struct reuseport_error *err)
{
	int ret;

	while (flock(dir, LOCK_EX | LOCK_NB)) {
		if (errno != EWOULDBLOCK)
			return fail(err, errno, "cannot lock %s: %s", path, strerror(errno));
		if (!--tries)
			return fail(err, EBUSY, "%s is in use by another process", path);
		clock_sleep_ms(LOCK_PAUSE_MS);
	}
	ret = pin_dir_is_named(dir, pins_name_in(path));
	if (ret < 0)
		return fail(err, -ret, "cannot examine %s: %s", path, strerror(-ret));
	return ret ? 0 : -ENOENT;
}

int pins_lock_again(int dir, const char *path, struct reuseport_error *err)
{
	return lock_open_directory(dir, path, LOCK_TRIES, err);
}

int pins_take_over(int dir, const char *path, struct reuseport_error *err)
{
	int ret = pin_dir_make(dir, PIN_DETACHING);

	if (ret == -ENOENT)
		return ret;
	if (ret < 0)
		return fail(err, -ret, "cannot make %s/" PIN_DETACHING ": %s", path,
			    strerror(-ret));
	return lock_open_directory(dir, path, TAKE_OVER_TRIES, err);
}

int pins_locked(int dir)
{
	if (flock(dir, LOCK_SH | LOCK_NB))
		return errno == EWOULDBLOCK ? 1 : -errno;
	flock(dir, LOCK_UN);
	return 0;
}

/* ------------------------------------------------------------ directories */

bool pins_are_gone(int dir, const char *path)
{
	return pin_dir_is_named(dir, pins_name_in(path)) == 0 ||
	       (access(path, F_OK) && errno == ENOENT);
}

/* Remove an empty directory by its descriptor: that needs no other one, of which there may be
 * none. Return 0 or -errno. */
static int remove_directory(int dir, const char *name)
{
	char path[PIN_PATH_MAX];

	if (unlinkat(dir, pin_dir_join("..", name, path, sizeof(path)), AT_REMOVEDIR))
		return -errno;
	/* With the last one the common directory goes. */
	unlinkat(dir, "../../" ROOT_NAME, AT_REMOVEDIR);
	return 0;
}

void pins_remove_empty(int dir, const char *path)
{
	if (pin_dir_is_named(dir, pins_name_in(path)) > 0)
		remove_directory(dir, pins_name_in(path));
}

int pins_remove(int dir, const char *path)
{
	const char *name = pins_name_in(path);
	int ret = pin_dir_is_named(dir, name);

	if (ret <= 0)
		return ret;
	ret = pin_dir_clear(dir);
	return ret ? ret : remove_directory(dir, name);
}

/* A walk through the directories of all attachments. */
struct pins_walk {
	const char *root_path;
	pins_fn fn;
	void *ctx;
	struct reuseport_error *err;
	int ret;
};

static int pins_visit(void *ctx, int root, const char *name)
{
	struct pins_walk *walk = ctx;
	struct reuseport_error refusal = { 0 };
	char path[REUSEPORT_PATH_MAX];
	struct reuseport_key key;
	struct pins_entry entry = { .named = &key, .path = path, .refusal = &refusal };

	if (strlen(name) >= PINS_NAME_MAX || pins_parse(name, &key))
		return 0;
	pin_dir_join(walk->root_path, name, path, sizeof(path));
	entry.dir = pin_dir_open(root, name, path, &refusal);
	if (entry.dir == -ENOENT)
		return 0;
	if (entry.dir < 0 && entry.dir != -EPERM) {
		if (walk->err)
			*walk->err = refusal;
		return walk->ret = entry.dir;
	}
	walk->ret = walk->fn(walk->ctx, &entry);
	fd_close(entry.dir);
	return walk->ret;
}

/* Go through the directories in "root", and close it; it may be an error of opening it. */
static int pins_walk_root(struct pins_walk *walk, int root)
{
	int ret;

	if (root < 0)
		return root == -ENOENT ? 0 : root;
	ret = pin_dir_for_each(root, pins_visit, walk);
	close(root);
	if (ret && !walk->ret)
		return fail(walk->err, -ret, "cannot read %s: %s", walk->root_path, strerror(-ret));
	return ret;
}

int pins_for_each(pins_fn fn, void *ctx, struct reuseport_error *err)
{
	char root_path[64];
	struct pins_walk walk = { .root_path = root_path, .fn = fn, .ctx = ctx, .err = err };
	int root = open_root(false, root_path, sizeof(root_path), err);

	return pins_walk_root(&walk, root);
}

int pins_for_each_at(const char *bpffs, pins_fn fn, void *ctx, struct reuseport_error *err)
{
	char root_path[REUSEPORT_PATH_MAX];
	struct pins_walk walk = { .root_path = root_path, .fn = fn, .ctx = ctx, .err = err };
	int fd = pin_dir_open_bpffs(bpffs, err), root = fd;

	if (fd >= 0) {
		root = open_in(fd, bpffs, ROOT_NAME, false, root_path, sizeof(root_path), err);
		close(fd);
	}
	return pins_walk_root(&walk, root);
}
