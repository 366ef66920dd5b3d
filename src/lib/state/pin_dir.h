/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * Pin directory: a directory of pins, opened and checked. On a bpffs that other users may
 * write to, anybody can put a directory or a symbolic link where pins go. So each
 * directory on the way is opened in the one before, never through a link, and must be
 * ours; what is done in it is done through its descriptor, whatever becomes of the path.
 */
#ifndef STATE_PIN_DIR_H
#define STATE_PIN_DIR_H

#include <stdbool.h>

#include "reuseport_bpf.h"

#define BPFFS "/sys/fs/bpf"

/* The longest path of a pin. */
#define PIN_PATH_MAX (REUSEPORT_PATH_MAX + 32)

/* Write "path/name", within size bytes, and return it. */
const char *pin_dir_join(const char *path, const char *name, char *joined, size_t size);

/* Open a mounted bpffs. Return the fd or -errno. -ENOENT, without an error: there is none.
 * -EPERM: another user may replace what is in it. */
int pin_dir_open_bpffs(const char *path, struct reuseport_error *err);

/*
 * Open a directory of a directory; path is its whole path, for messages. Return the fd or
 * -errno. -ENOENT, without an error: it is not there. -EPERM: it is another user's, or
 * another user may write to it, or it is no directory of bpffs.
 */
int pin_dir_open(int parent, const char *name, const char *path, struct reuseport_error *err);

/* Make a directory that only its owner may use. Return 1, 0 if it was there, or -errno. */
int pin_dir_make(int dir, const char *name);

/* Remove an empty directory, if it is there. */
void pin_dir_unmake(int dir, const char *name);

/* Return whether the directory has an entry of that name: 1, 0 or -errno. */
int pin_dir_has(int dir, const char *name);

/* Pin a program or a map. Return 0 or -errno. */
int pin_dir_pin(int dir, const char *name, int fd);

/* Open what is pinned. Return its fd or -errno. -ENOENT: there is no such pin. */
int pin_dir_get(int dir, const char *name);

/* Write a path by which the kernel reaches the open directory itself, and return it. */
const char *pin_dir_self(int dir, char path[32]);

/* Return whether other users may make files in the bpffs that the directory is in, two
 * levels above it. */
bool pin_dir_is_exposed(int dir);

/* Return whether the directory was removed. */
bool pin_dir_is_gone(int dir);

/* Return whether it is the entry "name" of its parent directory: 1, 0 or -errno. */
int pin_dir_is_named(int dir, const char *name);

/* Call fn for each entry, until it returns nonzero, which is returned; else 0 or -errno. fn
 * may remove the entry. It needs no descriptor. */
typedef int (*pin_dir_fn)(void *ctx, int dir, const char *name);
int pin_dir_for_each(int dir, pin_dir_fn fn, void *ctx);

/* Fail with -EPERM if there is an entry that is neither a pin nor a directory, so none that
 * this toolkit makes. */
int pin_dir_check_entries(int dir, const char *path, struct reuseport_error *err);

/* Remove the pins and the empty directories in it. */
int pin_dir_clear(int dir);

#endif
