// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* Owner list: processes that have a socket open. */
#include <errno.h>
#include <stdlib.h>

#include "sockets/owner_list.h"

int owner_list_add(struct socket_owners *owners, const struct socket_owner *owner)
{
	struct socket_owner *grown;

	if (owners->n == owners->room) {
		grown = realloc(owners->list, (owners->room * 2 + 16) * sizeof(*grown));
		if (!grown)
			return -ENOMEM;
		owners->list = grown;
		owners->room = owners->room * 2 + 16;
	}
	owners->list[owners->n++] = *owner;
	return 0;
}

static int compare_owners(const void *a, const void *b)
{
	const struct socket_owner *x = a, *y = b;

	if (x->inode != y->inode)
		return x->inode < y->inode ? -1 : 1;
	return x->pid < y->pid ? -1 : x->pid > y->pid;
}

/* A process can have a socket under several descriptors, and may be reported several times. */
static void drop_duplicates(struct socket_owners *owners)
{
	size_t kept = 0;

	for (size_t i = 0; i < owners->n; i++) {
		if (kept && !compare_owners(&owners->list[kept - 1], &owners->list[i]))
			owners->list[kept - 1].serves |= owners->list[i].serves;
		else
			owners->list[kept++] = owners->list[i];
	}
	owners->n = kept;
}

void owner_list_sort(struct socket_owners *owners)
{
	if (!owners->n)
		return;
	qsort(owners->list, owners->n, sizeof(*owners->list), compare_owners);
	drop_duplicates(owners);
}
