/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * Shadow: which sockets on a port get packets before a group that would match them, too: those of
 * their address or device, or all that are IPv4. Pure; by the kernel's lookup (lookup_score.h).
 */
#ifndef SOCKETS_SHADOW_H
#define SOCKETS_SHADOW_H

#include "sockets/places.h"

/*
 * Return the index of the next place, from "from" on, whose sockets get packets that those of
 * place i would get without them; list->n if there is none. Two places that are both steered do
 * not count: each of their packets is steered. Where only an order decides that is not
 * visible, that of sockets without a group or all where there are no iterators, nothing is said.
 */
size_t shadow_find(const struct place_list *list, size_t i, size_t from);

#endif
