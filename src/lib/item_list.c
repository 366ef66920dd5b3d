// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* Lists behind the public opaque ones: each item is allocated apart. */
#include <stdlib.h>

#include "item_list.h"

void *item_list_add(struct item_list *list, size_t size)
{
	void **grown = list->items, *item = calloc(1, size);

	if (item && list->n == list->room) {
		grown = realloc(list->items, (list->room * 2 + 8) * sizeof(*grown));
		if (grown) {
			list->items = grown;
			list->room = list->room * 2 + 8;
		}
	}
	if (!item || !grown) {
		free(item);
		return NULL;
	}
	list->items[list->n++] = item;
	return item;
}

void item_list_drop(struct item_list *list)
{
	free(list->items[--list->n]);
}

void *item_list_get(const struct item_list *list, size_t i)
{
	return list && i < list->n ? list->items[i] : NULL;
}

void item_list_filter(struct item_list *list, bool (*keep)(const void *item))
{
	size_t kept = 0;

	for (size_t i = 0; i < list->n; i++) {
		if (keep(list->items[i]))
			list->items[kept++] = list->items[i];
		else
			free(list->items[i]);
	}
	list->n = kept;
}

/* qsort() hands out pointers to the pointers. */
static int item_list_compare(const void *a, const void *b, void *compare)
{
	int (*const *items)(const void *, const void *) = compare;

	return (*items)(*(void *const *)a, *(void *const *)b);
}

void item_list_sort(struct item_list *list, int (*compare)(const void *a, const void *b))
{
	if (list->n)
		qsort_r(list->items, list->n, sizeof(*list->items), item_list_compare, &compare);
}

void item_list_clear(struct item_list *list, void (*free_item)(void *item))
{
	for (size_t i = 0; i < list->n; i++) {
		if (free_item)
			free_item(list->items[i]);
		free(list->items[i]);
	}
	free(list->items);
	*list = (struct item_list){ 0 };
}
