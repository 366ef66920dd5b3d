/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* Copies of maps that cannot be mapped into memory, element by element. */
#ifndef STATE_MAP_SHADOW_H
#define STATE_MAP_SHADOW_H

#include <stddef.h>

struct map_shadow;

/* NULL when out of memory. Free with map_shadow_free, which takes NULL. */
struct map_shadow *map_shadow_new(void);
void map_shadow_free(struct map_shadow *shadow);

/* Adds a map of n elements of so many bytes and reads it; fd stays the caller's.
 * Returns the copy, owned by copies; NULL with errno. At most 5. */
void *map_shadow_add(struct map_shadow *shadow, int fd, size_t value_size, size_t n);

/* Reads the maps again but for the last "skip". What cannot be read stays as it is. */
void map_shadow_fetch(struct map_shadow *shadow, size_t skip);

/* Writes the elements that were changed, map by map in the order in which they
 * were added, the first one last. */
void map_shadow_store(struct map_shadow *shadow);

#endif
