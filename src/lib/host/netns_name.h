/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* The names of network namespaces: entries of the directory that "ip netns" keeps. */
#ifndef HOST_NETNS_NAME_H
#define HOST_NETNS_NAME_H

#include <stdint.h>

#define NETNS_NAMED_DIR "/run/netns"

/*
 * Open the namespace of that name, which cannot make that wait. Return a descriptor or -errno.
 * -ENOENT: there is no such name. -ENOTTY: it is no network namespace. -EXDEV: it is a link to
 * that of a process, whose pid is in *pid.
 */
int netns_name_open(const char *name, uint32_t *pid);

/* Say that a name is no network namespace, once for each, unless it is being made or removed,
 * or its namespace is mounted where this process does not see it. */
void netns_name_warn(const char *name);

#endif
