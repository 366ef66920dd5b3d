// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* Explained owners: which processes serve the sockets of a group. */
#include <stdlib.h>

#include "clock.h"
#include "explain/explained_owners.h"

#define MOMENT (500 * CLOCK_MS)

static uint64_t explained_owners_sum(const struct sock_diag_list *members, uint32_t inode)
{
	const uint64_t spread = 0x9e3779b97f4a7c15ULL;
	uint64_t sum = members->n ? 0 : inode;

	for (size_t i = 0; i < members->n; i++)
		sum += (members->sockets[i].cookie + 1) * spread;
	return sum;
}

void explained_owners_look(struct explained_owners *owners, const struct sock_diag_list *members,
			   uint32_t inode, uint32_t uid)
{
	uint64_t sum = explained_owners_sum(members, inode), now = clock_ns(CLOCK_MONOTONIC);

	if (owners->looked_at && sum == owners->sockets && now - owners->looked_at < MOMENT)
		return;
	explained_owners_free(owners);
	if (members->n)
		socket_owners_scan_members(members, OWNERS_SERVING, &owners->owners);
	else
		socket_owners_scan(&(struct wanted_socket){ inode, uid }, 1, OWNERS_SERVING,
				   &owners->owners);
	owners->looked_at = clock_ns(CLOCK_MONOTONIC);
	owners->sockets = sum;
}

void explained_owners_free(struct explained_owners *owners)
{
	free(owners->owners.list);
	*owners = (struct explained_owners){ 0 };
}
