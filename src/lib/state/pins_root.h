/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* Pins root: bpffs, and the directory in it that has those of all attachments. */
#ifndef STATE_PINS_ROOT_H
#define STATE_PINS_ROOT_H

#include <stdbool.h>

#include "reuseport_bpf.h"

#define PINS_ROOT "reuseport"

/* Open the directory, and write its path. With "make" bpffs is mounted and the directory made
 * if they are missing. Return the fd or -errno, as pins_open(). */
int pins_open_root(bool make, char *path, size_t size, struct reuseport_error *err);

/* Open a directory in "parent", and write its path; make it first if that is wanted. */
int pins_open_in(int parent, const char *parent_path, const char *name, bool make, char *path,
		 size_t size, struct reuseport_error *err);

/* Return whether that is the directory "root", 0 if another file system covers it or it was
 * unmounted: then no command reaches what is in it. 1, 0 or -errno. */
int pins_root_in_sight(int root);

#endif
