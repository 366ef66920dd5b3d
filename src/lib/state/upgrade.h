/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * Upgrade: pin what is new in this ABI beside the pins of an older one, then in their place.
 * Until the description has taken its place, as the last, the pins are of the old version, and
 * the upgrade begins anew: so it may be killed at any moment.
 */
#ifndef STATE_UPGRADE_H
#define STATE_UPGRADE_H

#include "state/attachment.h"

/* Fill the new control, which at->view has mapped, from the old one. With the plan lock held. */
int upgrade_control(const struct attachment *at, const struct steering *old, unsigned int members,
		    struct reuseport_error *err);

/* Pin the new maps and the program by names of their own. */
int upgrade_pin(const struct attachment *at, struct reuseport_error *err);

/* Put them in place of the old ones. If that fails, the next upgrade does it. */
int upgrade_replace(const struct attachment *at, struct reuseport_error *err);

/* Remove what was pinned so and is not in its place. */
void upgrade_clear(int dir);

#endif
