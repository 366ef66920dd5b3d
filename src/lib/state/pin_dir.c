// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* Pin directory: a directory of pins, opened and checked. */
#include <bpf/bpf.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "error.h"
#include "state/pin_dir.h"

#define DIRECTORY (O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
#define OTHERS_MAY_WRITE (S_IWGRP | S_IWOTH)

const char *pin_dir_join(const char *path, const char *name, char *joined, size_t size)
{
	snprintf(joined, size, "%s/%s", path, name);
	return joined;
}

/* ------------------------------------------------------------------ opening */

static int pin_dir_check_owner(const struct stat *st, const char *path, struct reuseport_error *err)
{
	if (st->st_uid == 0 || st->st_uid == geteuid())
		return 0;
	return fail(err, EPERM,
		    "%s belongs to user %u: nothing in it was touched; remove it, and keep "
		    "other users out of bpffs: chmod 0700 " BPFFS,
		    path, st->st_uid);
}

/* Check a directory in which every entry is ours. */
static int pin_dir_check(int fd, const char *path, struct reuseport_error *err)
{
	struct statfs fs;
	struct stat st;
	int ret;

	if (fstatfs(fd, &fs) || fstat(fd, &st))
		return fail(err, errno, "cannot examine %s: %s", path, strerror(errno));
	if (fs.f_type != BPF_FS_MAGIC)
		return fail(err, EPERM, "%s is not on bpffs: remove it", path);
	ret = pin_dir_check_owner(&st, path, err);
	if (!ret && st.st_mode & OTHERS_MAY_WRITE)
		ret = fail(err, EPERM,
			   "other users may write to %s (mode %04o): nothing in it was touched; "
			   "remove what is not yours, then chmod 0700 %s",
			   path, st.st_mode & 07777, path);
	return ret;
}

int pin_dir_open_bpffs(const char *path, struct reuseport_error *err)
{
	int fd = open(path, DIRECTORY), ret;
	struct statfs fs;
	struct stat st;

	if (fd < 0 && (errno == ENOENT || errno == ENOTDIR || errno == ELOOP))
		return -ENOENT;
	if (fd < 0)
		return fail(err, errno, "cannot open %s: %s%s", path, strerror(errno),
			    errno == EACCES ? "; run as root" : "");
	if (fstatfs(fd, &fs) || fstat(fd, &st))
		ret = fail(err, errno, "cannot examine %s: %s", path, strerror(errno));
	else if (fs.f_type != BPF_FS_MAGIC)
		ret = -ENOENT;
	else
		ret = pin_dir_check_owner(&st, path, err);
	/* In a sticky directory nobody else can rename or remove what is ours. */
	if (!ret && st.st_mode & OTHERS_MAY_WRITE && !(st.st_mode & S_ISVTX))
		ret = fail(err, EPERM,
			   "other users may replace what is in %s (mode %04o): chmod 0700 %s", path,
			   st.st_mode & 07777, path);
	if (!ret)
		return fd;
	close(fd);
	return ret;
}

/* Open without a way out of the directory: no link, and no file system that is mounted there
 * and may never answer. */
static int pin_dir_open_beneath(int parent, const char *name)
{
	struct open_how how = { .flags = DIRECTORY,
				.resolve = RESOLVE_NO_SYMLINKS | RESOLVE_NO_XDEV };
	int fd = syscall(SYS_openat2, parent, name, &how, sizeof(how));

	/* Some filters of system calls do not know openat2(). */
	if (fd < 0 && (errno == ENOSYS || errno == EPERM))
		fd = openat(parent, name, DIRECTORY);
	return fd;
}

int pin_dir_open(int parent, const char *name, const char *path, struct reuseport_error *err)
{
	int fd = pin_dir_open_beneath(parent, name), ret;

	if (fd < 0 && errno == ENOENT)
		return -ENOENT;
	if (fd < 0 && (errno == ELOOP || errno == ENOTDIR || errno == EXDEV))
		return fail(err, EPERM,
			    "%s is %s: it was not followed; remove it, and keep other users out of "
			    "bpffs: chmod 0700 " BPFFS,
			    path,
			    errno == EXDEV ? "a mount of another file system" :
					     "a symbolic link, or no directory");
	if (fd < 0)
		return fail(err, errno, "cannot open %s: %s%s", path, strerror(errno),
			    errno == EACCES ? "; run as root" : "");
	ret = pin_dir_check(fd, path, err);
	if (!ret)
		return fd;
	close(fd);
	return ret;
}

/* ------------------------------------------------------------------ entries */

int pin_dir_make(int dir, const char *name)
{
	if (!mkdirat(dir, name, 0700))
		return 1;
	return errno == EEXIST ? 0 : -errno;
}

void pin_dir_unmake(int dir, const char *name)
{
	if (unlinkat(dir, name, AT_REMOVEDIR))
		errno = 0; /* what uses it looks for itself */
}

int pin_dir_has(int dir, const char *name)
{
	struct stat st;

	if (!fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW))
		return 1;
	return errno == ENOENT ? 0 : -errno;
}

const char *pin_dir_self(int dir, char path[32])
{
	snprintf(path, 32, "/proc/thread-self/fd/%d", dir);
	return path;
}

/* bpf() takes a path, and a descriptor to start from only since Linux 6.5. */
static const char *pin_dir_path_of(int dir, const char *name, char path[PIN_PATH_MAX])
{
	char self[32];

	return pin_dir_join(pin_dir_self(dir, self), name, path, PIN_PATH_MAX);
}

int pin_dir_pin(int dir, const char *name, int fd)
{
	char path[PIN_PATH_MAX];

	return bpf_obj_pin(fd, pin_dir_path_of(dir, name, path)) ? -errno : 0;
}

int pin_dir_get(int dir, const char *name)
{
	char path[PIN_PATH_MAX];
	struct stat st;
	int fd;

	if (fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW))
		return -errno;
	/* bpf() would follow a link. Only the directory's owner can put one there. */
	if (!S_ISREG(st.st_mode))
		return -ENOENT;
	fd = bpf_obj_get(pin_dir_path_of(dir, name, path));
	if (fd >= 0)
		return fd;
	fd = -errno;
	/* Without /proc no pin is found. */
	return fd == -ENOENT && pin_dir_has(dir, name) ? -ENOSYS : fd;
}

/* -------------------------------------------------------------- the directory */

bool pin_dir_is_exposed(int dir)
{
	struct stat st;

	return !fstatat(dir, "../..", &st, AT_SYMLINK_NOFOLLOW) && st.st_mode & OTHERS_MAY_WRITE;
}

bool pin_dir_is_gone(int dir)
{
	struct stat st;

	return !fstat(dir, &st) && !st.st_nlink;
}

int pin_dir_is_named(int dir, const char *name)
{
	char path[PIN_PATH_MAX];
	struct stat held, named;

	pin_dir_join("..", name, path, sizeof(path));
	if (fstat(dir, &held) || fstatat(dir, path, &named, AT_SYMLINK_NOFOLLOW))
		return errno == ENOENT ? 0 : -errno;
	return held.st_ino == named.st_ino && held.st_dev == named.st_dev;
}

int pin_dir_for_each(int dir, pin_dir_fn fn, void *ctx)
{
	_Alignas(struct dirent64) char entries[2048];
	ssize_t len = 0;
	int ret = 0;

	if (lseek(dir, 0, SEEK_SET) < 0)
		return -errno;
	while (!ret && (len = getdents64(dir, entries, sizeof(entries))) > 0)
		for (ssize_t at = 0; !ret && at < len;) {
			const struct dirent64 *entry = (const void *)(entries + at);

			at += entry->d_reclen;
			/* bpffs refuses dots, but in names that the kernel gives. */
			if (!strchr(entry->d_name, '.'))
				ret = fn(ctx, dir, entry->d_name);
		}
	return !ret && len < 0 ? -errno : ret;
}

struct entry_check {
	const char *path;
	struct reuseport_error *err;
};

static int pin_dir_check_entry(void *ctx, int dir, const char *name)
{
	const struct entry_check *check = ctx;
	struct stat st;

	if (fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW))
		return errno == ENOENT ? 0 :
					 fail(check->err, errno, "cannot examine %s/%s: %s",
					      check->path, name, strerror(errno));
	if (S_ISREG(st.st_mode) || S_ISDIR(st.st_mode))
		return 0;
	return fail(check->err, EPERM, "%s/%s is no pin: nothing was changed; remove it",
		    check->path, name);
}

int pin_dir_check_entries(int dir, const char *path, struct reuseport_error *err)
{
	struct entry_check check = { .path = path, .err = err };
	int ret = pin_dir_for_each(dir, pin_dir_check_entry, &check);

	if (ret && ret != -EPERM)
		fail(err, -ret, "cannot read %s: %s", path, strerror(-ret));
	return ret;
}

static int pin_dir_clear_entry(void *ctx, int dir, const char *name)
{
	struct stat st;

	(void)ctx;
	if (fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW))
		return errno == ENOENT ? 0 : -errno;
	if (S_ISREG(st.st_mode) || S_ISDIR(st.st_mode))
		unlinkat(dir, name, S_ISDIR(st.st_mode) ? AT_REMOVEDIR : 0);
	return 0;
}

int pin_dir_clear(int dir)
{
	return pin_dir_for_each(dir, pin_dir_clear_entry, NULL);
}
