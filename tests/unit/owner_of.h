/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* The owner of a socket that is a certain process. */
#ifndef UNIT_OWNER_OF_H
#define UNIT_OWNER_OF_H

#include "sockets/socket_owners.h"

/* Return it, or NULL. */
static inline const struct socket_owner *owner(const struct socket_owners *owners, uint32_t inode,
					       pid_t pid)
{
	const struct socket_owner *first;
	size_t n = socket_owners_of(owners, inode, &first);

	for (size_t i = 0; i < n; i++)
		if (first[i].pid == (uint32_t)pid)
			return &first[i];
	return NULL;
}

#endif
