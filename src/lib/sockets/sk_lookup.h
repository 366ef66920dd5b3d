/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* sk_lookup: BPF programs of a network namespace that choose a socket before the lookup. */
#ifndef SOCKETS_SK_LOOKUP_H
#define SOCKETS_SK_LOOKUP_H

#include <stdint.h>

/* Return how many the thread's namespace has, with the id of the *first; 0 also where the kernel
 * has no such programs. */
uint32_t sk_lookup_programs(uint32_t *first);

#endif
