/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* Hook iterators: the socket iterators that are pinned with the hooks. */
#ifndef STATE_HOOK_ITER_H
#define STATE_HOOK_ITER_H

#include "sockets/group_iter.h"

/* Open the iterators that are pinned; load them where none are. As group_iter_open(), but not
 * for group_iter_read_port(). */
int hook_iter_open(struct group_iter **reader, struct reuseport_error *err);

#endif
