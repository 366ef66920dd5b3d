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
#include <sys/stat.h>
#include <unistd.h>

#include "clock.h"
#include "error.h"
#include "fd.h"
#include "host/netns.h"
#include "host/proc.h"
#include "state/pin_dir.h"
#include "state/pins.h"
#include "state/pins_root.h"
#include "state/root_lock.h"

#define LOCK_PAUSE_MS 5
#define LOCK_TRIES 20       /* a process that only checks the lock holds it for a moment */
#define TAKE_OVER_TRIES 400 /* 2 s for a keeper to release it */
#define WANT_TRIES 200      /* 1 s */

/* ---------------------------------------------------------------- opening */

static int open_attachment(const char *name, bool make, char *path, size_t size,
			   struct reuseport_error *err)
{
	char root_path[64];
	int root = pins_open_root(make, root_path, sizeof(root_path), err), fd;

	if (root < 0)
		return root;
	fd = pins_open_in(root, root_path, name, make, path, size, err);
	if (fd < 0 && make)
		root_tidy(root);
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

/* Return whether the host's keeper keeps what is in the directory: 1, 0 or -errno. It has no lock
 * on the directory itself, but the caller has, or nobody. */
static int kept_by_host(int dir)
{
	struct stat st;
	int root, ret;

	if (fstat(dir, &st))
		return -errno;
	/* A directory that was removed is in no other. */
	if (!st.st_nlink)
		return 0;
	root = openat(dir, "..", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (root < 0)
		return errno == ENOENT ? 0 : -errno;
	ret = root_lock_keeps(root, st.st_ino);
	close(root);
	return ret;
}

/* Lock it, if nobody keeps it. Return 0, -EWOULDBLOCK or another -errno. */
static int lock_directory(int dir)
{
	int ret;

	if (flock(dir, LOCK_EX | LOCK_NB))
		return -errno;
	ret = kept_by_host(dir);
	if (!ret)
		return 0;
	flock(dir, LOCK_UN);
	return ret < 0 ? ret : -EWOULDBLOCK;
}

int pins_lock(const char *name, char *path, size_t size, struct reuseport_error *err)
{
	int fd;

	for (int tries = 0; tries < LOCK_TRIES; tries++) {
		fd = open_attachment(name, true, path, size, err);
		/* -ENOENT, or another directory: a detach removed it meanwhile. */
		if (fd < 0 && fd != -ENOENT)
			return fd;
		if (fd >= 0 && !lock_directory(fd) && pin_dir_is_named(fd, name) > 0)
			return fd;
		fd_close(fd);
		clock_sleep_ms(LOCK_PAUSE_MS);
	}
	return fail(err, EBUSY, "%s is in use by another process", path);
}

static int lock_open_directory(int dir, const char *path, int tries, struct reuseport_error *err)
{
	int ret;

	while ((ret = lock_directory(dir))) {
		if (ret != -EWOULDBLOCK)
			return fail(err, -ret, "cannot lock %s: %s", path, strerror(-ret));
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

/* Ask the process that holds the lock for it by a directory "marker", and take it. */
static int ask_for_lock(int dir, const char *path, const char *marker, int tries,
			struct reuseport_error *err)
{
	int ret = pin_dir_make(dir, marker);

	if (ret == -ENOENT)
		return ret;
	if (ret < 0)
		return fail(err, -ret, "cannot make %s/%s: %s", path, marker, strerror(-ret));
	return lock_open_directory(dir, path, tries, err);
}

int pins_take_over(int dir, const char *path, struct reuseport_error *err)
{
	return ask_for_lock(dir, path, PIN_DETACHING, TAKE_OVER_TRIES, err);
}

int pins_want(int dir, const char *path, struct reuseport_error *err)
{
	int ret = ask_for_lock(dir, path, PIN_WANTED, WANT_TRIES, err);

	pin_dir_unmake(dir, PIN_WANTED);
	return ret;
}

int pins_locked(int dir)
{
	if (flock(dir, LOCK_SH | LOCK_NB))
		return errno == EWOULDBLOCK ? 1 : -errno;
	flock(dir, LOCK_UN);
	return kept_by_host(dir);
}

/* ------------------------------------------------------------ directories */

bool pins_are_gone(int dir, const char *path)
{
	return pin_dir_is_named(dir, pins_name_in(path)) == 0 ||
	       (access(path, F_OK) && errno == ENOENT);
}

/* Remove an empty directory by its descriptor: that needs no other one, of which there may be
 * none. The hooks stay then, for the next one that looks. Return 0 or -errno. */
static int remove_directory(int dir, const char *name)
{
	char path[PIN_PATH_MAX];

	if (unlinkat(dir, pin_dir_join("..", name, path, sizeof(path)), AT_REMOVEDIR))
		return -errno;
	root_tidy_above(dir);
	return 0;
}

void pins_tidy(void)
{
	char path[64];
	int root = pins_open_root(false, path, sizeof(path), NULL);

	if (root < 0)
		return;
	root_tidy(root);
	close(root);
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
	/* The last attachment's detach has removed it meanwhile. */
	if (ret == -ENOENT && !walk->ret)
		return 0;
	if (ret && !walk->ret)
		return fail(walk->err, -ret, "cannot read %s: %s", walk->root_path, strerror(-ret));
	return ret;
}

int pins_for_each(pins_fn fn, void *ctx, struct reuseport_error *err)
{
	char root_path[64];
	struct pins_walk walk = { .root_path = root_path, .fn = fn, .ctx = ctx, .err = err };
	int root = pins_open_root(false, root_path, sizeof(root_path), err);

	return pins_walk_root(&walk, root);
}

int pins_for_each_at(const char *bpffs, pins_fn fn, void *ctx, struct reuseport_error *err)
{
	char root_path[REUSEPORT_PATH_MAX];
	struct pins_walk walk = { .root_path = root_path, .fn = fn, .ctx = ctx, .err = err };
	int fd = pin_dir_open_bpffs(bpffs, err), root = fd;

	if (fd >= 0) {
		root = pins_open_in(fd, bpffs, PINS_ROOT, false, root_path, sizeof(root_path), err);
		close(fd);
	}
	return pins_walk_root(&walk, root);
}
