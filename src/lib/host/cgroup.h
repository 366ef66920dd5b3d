/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* The root of the unified cgroup hierarchy, wherever it is mounted. */
#ifndef HOST_CGROUP_H
#define HOST_CGROUP_H

/* Open the directory; the caller closes it. -ENOENT: cgroup2 is mounted nowhere. */
int cgroup_open_root(void);

#endif
