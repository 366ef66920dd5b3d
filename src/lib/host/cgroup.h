/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* The root of the unified cgroup hierarchy, wherever it is mounted. */
#ifndef HOST_CGROUP_H
#define HOST_CGROUP_H

#include <stdbool.h>
#include <stddef.h>

/* Open the directory; the caller closes it. -ENOENT: cgroup2 is mounted nowhere. */
int cgroup_open_root(void);

/* As many programs of one type as the kernel takes in a cgroup. */
#define CGROUP_PROGRAMS_MAX 64

/*
 * Return 0: a program for setsockopt() and one for getsockopt() can be attached to the root, by
 * links, beside those that are there. -EBUSY: another one admits none; -EUSERS: as many are there
 * as the kernel takes. text, of size bytes, then says so, by the other one's name and id: "program
 * 'foo' (id 7) of another tool ...".
 */
int cgroup_sockopt_obstacle(char *text, size_t size);

/* Return whether the cgroup has that many of the type, an enum bpf_attach_type. */
bool cgroup_is_full(int cgroup, int type);

#endif
