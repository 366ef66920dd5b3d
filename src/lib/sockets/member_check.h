/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* Member check: which sockets have SO_REUSEPORT, where the kernel does not tell their groups. */
#ifndef SOCKETS_MEMBER_CHECK_H
#define SOCKETS_MEMBER_CHECK_H

#include <stdbool.h>
#include <stddef.h>

#include "sockets/sock_diag.h"
#include "sockets/socket_owners.h"

struct member_check {
	bool *members; /* of each socket of the list, whether it has SO_REUSEPORT */
	bool *reached; /* and whether that could be read */

	/* Why sockets are not a group: */
	bool denied;      /* no permission to duplicate one */
	bool unsupported; /* no pidfd_getfd */
	bool skipped;     /* a process does not let itself be inspected */
	bool reuseaddr;
	uint32_t pid;  /* of a process that owns one, */
	char comm[16]; /* and its name */

	int limit;     /* what prevented to look, or 0 */
	size_t *first; /* of each socket, the first one with its key; NULL: look at all */
};

/*
 * Check all sockets or, with one_per_key, until one with each key has SO_REUSEPORT. Return 0 or
 * -errno. Free with member_check_free().
 */
int member_check(const struct sock_diag_list *sockets, const struct socket_owners *owners,
		 bool one_per_key, struct member_check *check);
void member_check_free(struct member_check *check);

#endif
