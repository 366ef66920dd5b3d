/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* Listing netns: the groups of one network namespace, and what becomes of their packets. */
#ifndef API_LISTING_NETNS_H
#define API_LISTING_NETNS_H

#include <stdint.h>

/* Add what is in one network namespace to a listing that is in progress; for netns_for_each(). */
int listing_add_netns(void *reading, uint64_t inode, const char *name, uint32_t pid);

#endif
