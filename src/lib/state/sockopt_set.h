/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* Socket option set: what the hooks of a root directory have for socket options. */
#ifndef STATE_SOCKOPT_SET_H
#define STATE_SOCKOPT_SET_H

#include "host/features.h"
#include "reuseport_bpf.h"
#include "state/sockopt_maps.h"

/*
 * Open the maps, as sockopt_maps_open() does. It takes no lock, and what is done with the maps
 * takes none. hooks_open() with features has made them, where the kernel can.
 */
int sockopt_set_open(int root, struct sockopt_maps *maps, struct reuseport_error *err);

/* Return whether those are still the maps of the hooks: these may have been made anew. */
bool sockopt_set_has(int root, const struct sockopt_maps *maps);

/* Explain why the programs are not attached, as sockopt_hooks_make() does. 0: they are. */
int sockopt_set_explain(int root, struct features *features, struct reuseport_error *err);

#endif
