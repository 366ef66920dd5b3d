/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* Filter: the groups and the network namespace that the options select. */
#ifndef CLI_FILTER_H
#define CLI_FILTER_H

#include "options.h"

/*
 * Set *inode to the network namespace that --netns selects. Without --netns,
 * leave it unchanged. A number above every possible pid is the inode itself, as
 * status prints it: the only way to select a namespace that no longer exists.
 * Return an exit status, with a message on failure.
 */
int filter_netns(const struct options *options, uint64_t *inode);

/* Do the same, but without --netns select the caller's own namespace. */
int filter_netns_or_own(const struct options *options, uint64_t *inode);

/*
 * Set the address and the device of a filter whose network namespace is set. Return an exit
 * status, with a message on failure.
 */
int filter_place(const struct options *options, struct reuseport_filter *filter);

/* Return the protocol that the options select, as text of a sentence. */
const char *filter_proto_text(const struct options *options);

/*
 * Set *filter to the groups that the options select. The defaults are protocol
 * tcp and the caller's own namespace. Return an exit status, with a message on
 * failure.
 */
int filter_from_options(const struct options *options, struct reuseport_filter *filter);

#endif
