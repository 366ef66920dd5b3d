/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* Lists behind the public opaque ones: each item is allocated apart, so that a structure
 * can gain members without a caller noticing. */
#ifndef LIB_ITEM_LIST_H
#define LIB_ITEM_LIST_H

#include <stdbool.h>
#include <stddef.h>

struct item_list {
	void **items;
	size_t n, room;
};

/* Return a new zeroed item of that size at the end of the list, or NULL without memory. */
void *item_list_add(struct item_list *list, size_t size);

/* Take the last item off and free it. */
void item_list_drop(struct item_list *list);

/* Return the item, or NULL past the end. */
void *item_list_get(const struct item_list *list, size_t i);

/* Free the items for which keep returns false. */
void item_list_filter(struct item_list *list, bool (*keep)(const void *item));

/* Sort as qsort() does; compare gets pointers to the items. */
void item_list_sort(struct item_list *list, int (*compare)(const void *a, const void *b));

/* Free the items, each by free_item first where that is not NULL, and leave the list empty. */
void item_list_clear(struct item_list *list, void (*free_item)(void *item));

#endif
