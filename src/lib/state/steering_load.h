/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* Steering load: load the program, and make its maps or take over those of an older one. */
#ifndef STATE_STEERING_LOAD_H
#define STATE_STEERING_LOAD_H

#include "host/features.h"
#include "state/steering_maps.h"

/*
 * Load the program and make its maps in the best way that the kernel has: with plain loads
 * or probe reads, select-or-migrate or select, maps that can be mapped or not.
 */
int steering_load(struct steering *steering, const struct steering_size *size, int proto,
		  struct features *features, struct reuseport_error *err);

/* Load it over the maps of an older one, which both then use: all but the control, the
 * description and the events, which are new. Nothing of the older one is changed. */
int steering_reload(struct steering *steering, const struct steering *old,
		    const struct steering_size *size, int proto, struct features *features,
		    struct reuseport_error *err);

#endif
