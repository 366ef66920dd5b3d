/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* Copies of maps that cannot be mapped into memory, element by element. */
#ifndef STATE_MAP_SHADOW_H
#define STATE_MAP_SHADOW_H

#include <stddef.h>

struct copies;

/* NULL when out of memory. Free with copies_free, which takes NULL. */
struct copies *copies_new(void);
void copies_free(struct copies *copies);

/* Adds a map of n elements of so many bytes and reads it; fd stays the caller's.
 * Returns the copy, owned by copies; NULL with errno. At most 5. */
void *copies_add(struct copies *copies, int fd, size_t value_size, size_t n);

/* Reads the maps again but for the last "skip". What cannot be read stays as it is. */
void copies_fetch(struct copies *copies, size_t skip);

/* Writes the elements that were changed, map by map in the order in which they
 * were added, the first one last. */
void copies_store(struct copies *copies);

#endif
