/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* Ways: how an attachment does what not every kernel can; noted and told. */
#ifndef KEEPER_DEGRADED_H
#define KEEPER_DEGRADED_H

#include "keeper/handle.h"

/* Notes in group->at.entry how the keeper goes about it. */
void degraded_note(struct reuseport_group *group);

/* Logs what is done in another way than the best, and what that costs. */
void degraded_log(const struct reuseport_group *group);

/* As noted in an entry. */
struct reuseport_ways degraded_modes(const struct attachment *at);

#endif
