/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* The directory of the names of network namespaces, read where that cannot hang this process. */
#ifndef HOST_NETNS_NAMES_H
#define HOST_NETNS_NAMES_H

#include <stdbool.h>
#include <stddef.h>

struct netns_names {
	char *text; /* the names, one after the other, each with its zero byte */
	size_t len, room;
};

/* Read all names. Return 0 or -errno. -ETIMEDOUT: a process holds the directory, and there are
 * those that were read before, if any. Free them in any case. */
int netns_names_read(struct netns_names *names);
void netns_names_free(struct netns_names *names);

/* Return the next name after "name", or the first one for NULL; NULL at the end. */
const char *netns_names_next(const struct netns_names *names, const char *name);

/* Return whether it is a name: 1, 0 or -errno, see netns_names_read(). */
int netns_names_have(const char *name);

#endif
