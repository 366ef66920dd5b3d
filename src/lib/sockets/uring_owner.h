/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* io_uring owner: the process that has a socket among an io_uring's registered files only. */
#ifndef SOCKETS_URING_OWNER_H
#define SOCKETS_URING_OWNER_H

#include <stdbool.h>
#include <stdint.h>

/* Return whether there is one that can be looked at, with its name, which has 16 bytes. */
bool uring_owner_find(uint32_t inode, uint32_t *pid, char *comm);

#endif
