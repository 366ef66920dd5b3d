/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* Sockarray: which socket is in which slot of the REUSEPORT_SOCKARRAY. */
#ifndef STATE_SOCKARRAY_H
#define STATE_SOCKARRAY_H

#include <stdbool.h>
#include <stdint.h>

#define SLOT_NONE ((unsigned int)-1)

/* Return whether the kernel's array has the socket with that cookie in that slot. */
bool sockarray_holds(int sockets_map, unsigned int slot, uint64_t cookie);

/* Return whether no slot of the array has a socket. */
bool sockarray_is_empty(int sockets_map);

/* Take every socket out of the array, so that it can enter another at once. */
void sockarray_empty(int sockets_map);

#endif
