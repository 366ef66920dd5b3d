/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* Unadded: members that were not added, where this process may not look for them. */
#ifndef KEEPER_UNADDED_H
#define KEEPER_UNADDED_H

#include "keeper/handle.h"
#include "sockets/sock_diag.h"

/* Log them, once, when a second look sees the same ones. "sum" is a checksum of those that have no
 * slot, 0 if there are none. */
void unadded_note(struct reuseport_group *group, const struct sock_diag_list *members,
		  uint64_t sum);

#endif
