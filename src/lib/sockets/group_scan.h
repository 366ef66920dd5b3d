/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* Groups as sock_diag and the sockets themselves tell of them: for kernels without
 * socket iterators. What program a group has is not to be had this way. */
#ifndef SOCKETS_GROUP_SCAN_H
#define SOCKETS_GROUP_SCAN_H

#include "sockets/group_iter.h"

/* As group_iter_read(), with member->group a number and without programs. */
int group_scan_read(int proto, struct member_list *list, struct reuseport_error *err);

#endif
