// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* Socket owners: which processes have a socket open, and which of them serves it. */
#include <errno.h>
#include <limits.h>
#include <stdlib.h>

#include "sockets/owner_scan.h"
#include "sockets/sock_diag.h"
#include "sockets/socket_owners.h"

int socket_owners_scan(const struct wanted_socket *wanted, size_t n, enum owners_wanted what,
		       struct socket_owners *owners)
{
	struct owner_scan *scan;
	int ret;

	*owners = (struct socket_owners){ 0 };
	ret = owner_scan_begin(wanted, n, what, &scan);
	if (ret)
		return ret;
	do
		owner_scan_wait(scan);
	while (!(ret = owner_scan_step(scan, UINT_MAX)));
	if (ret < 0) {
		owner_scan_free(scan);
		return ret;
	}
	owner_scan_end(scan, owners);
	return 0;
}

struct wanted_socket *socket_owners_wanted(const struct sock_diag_list *members)
{
	struct wanted_socket *wanted = calloc(members->n + 1, sizeof(*wanted));

	for (size_t i = 0; wanted && i < members->n; i++)
		wanted[i] = (struct wanted_socket){ members->sockets[i].inode,
						    members->sockets[i].key.uid };
	return wanted;
}

int socket_owners_scan_members(const struct sock_diag_list *members, enum owners_wanted what,
			       struct socket_owners *owners)
{
	struct wanted_socket *wanted = socket_owners_wanted(members);
	int ret;

	*owners = (struct socket_owners){ 0 };
	if (!wanted)
		return -ENOMEM;
	ret = socket_owners_scan(wanted, members->n, what, owners);
	free(wanted);
	return ret;
}

size_t socket_owners_of(const struct socket_owners *owners, uint32_t inode,
			const struct socket_owner **first)
{
	size_t low = 0, high = owners->n, n = 0;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (owners->list[middle].inode < inode)
			low = middle + 1;
		else
			high = middle;
	}
	*first = owners->list + low;
	while (low + n < owners->n && owners->list[low + n].inode == inode)
		n++;
	return n;
}

const struct socket_owner *socket_owners_server(const struct socket_owner *first, size_t n)
{
	const struct socket_owner *youngest = first;

	for (size_t i = 0; i < n; i++)
		if (first[i].serves)
			return &first[i];
	/* Of processes forked within one tick, the last by pid. */
	for (size_t i = 1; i < n; i++)
		if (first[i].start >= youngest->start)
			youngest = &first[i];
	return youngest;
}
