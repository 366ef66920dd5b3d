/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* Map shadow: copies of maps that cannot be mapped into memory. */
#ifndef STATE_MAP_SHADOW_H
#define STATE_MAP_SHADOW_H

#include <stddef.h>

struct map_shadow;

/* Make a shadow, or return NULL when out of memory. map_shadow_free() takes NULL too. */
struct map_shadow *map_shadow_new(void);
void map_shadow_free(struct map_shadow *shadow);

/* Add a map of n elements and read it; fd stays the caller's. Returns the copy, which the
 * shadow owns, or NULL with errno. At most 5 maps. */
void *map_shadow_add(struct map_shadow *shadow, int fd, size_t value_size, size_t n);

/* Read the maps again, without the last "skip" of them. A map that cannot be read keeps
 * its copy. */
void map_shadow_fetch(struct map_shadow *shadow, size_t skip);

/* Write the elements that were changed: map by map in the order in which they were added,
 * but the first map last. */
void map_shadow_store(struct map_shadow *shadow);

#endif
