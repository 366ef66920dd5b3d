/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* Generation count: how many workers are of a generation. */
#ifndef STATE_GENERATION_COUNT_H
#define STATE_GENERATION_COUNT_H

#include "state/attachment.h"

/* Count the workers of a generation that are in their slots; "able": those only that would receive
 * work if it served. */
unsigned int generation_count(const struct attachment *at, uint32_t generation, bool able);

#endif
