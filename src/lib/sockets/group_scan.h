/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* Find the groups by sock_diag and by duplicates of their sockets, for kernels without
 * socket iterators. The program of a group is not available this way. */
#ifndef SOCKETS_GROUP_SCAN_H
#define SOCKETS_GROUP_SCAN_H

#include "sockets/group_iter.h"

/* Do the same as group_iter_read(), without programs. "unreached" receives the sockets of which it
 * is not known whether they are members: no process was found that has them, or it does not let
 * itself be inspected. */
int group_scan_read(int proto, struct member_list *list, struct member_list *unreached,
		    struct reuseport_error *err);

#endif
