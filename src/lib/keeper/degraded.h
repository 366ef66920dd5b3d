/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* Degraded: which fallbacks an attachment uses for features that the kernel lacks. */
#ifndef KEEPER_DEGRADED_H
#define KEEPER_DEGRADED_H

#include "keeper/handle.h"

/* Note in group->at.entry which features the keeper uses; events: it is told of joins. */
void degraded_note(struct reuseport_group *group, bool events);

/* Log each fallback in use, and what it costs. */
void degraded_log(const struct reuseport_group *group);

/* Return the modes, as the entry and the view have them. */
struct reuseport_modes degraded_modes(const struct attachment *at);

#endif
