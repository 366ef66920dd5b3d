// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* reuseport_list(): every reuseport group of the host, steered or not. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "error.h"
#include "host/caps.h"
#include "item_list.h"
#include "reuseport_list.h"

/* The public list. */
struct reuseport_group_list {
	struct item_list groups; /* of struct list_item */
};

struct list_item {
	struct reuseport_group_info info; /* first */
	struct reuseport_key key;
};

static int list_copy(const struct reuseport_listing *listing, struct reuseport_group_list *list,
		     struct reuseport_error *err)
{
	const struct reuseport_listed *listed;
	struct list_item *item;

	for (size_t i = 0; (listed = reuseport_listing__get(listing, i)); i++) {
		if (!listed->is_group)
			continue;
		item = item_list_add(&list->groups, sizeof(*item));
		if (!item)
			return fail(err, ENOMEM, "out of memory");
		item->info = *listed->group;
		item->key = *listed->group->key;
		item->info.key = &item->key;
	}
	return 0;
}

/* With all capabilities but CAP_SYS_ADMIN, only other namespaces are not seen. */
static int list_check_seen(const struct reuseport_listing *listing, struct reuseport_error *err)
{
	const struct reuseport_unseen *unseen;

	for (size_t i = 0; (unseen = reuseport_listing__get_unseen(listing, i)); i++)
		if (!strcmp(unseen->what, "namespace"))
			return fail(err, EPERM, "%s", unseen->text);
	return 0;
}

int reuseport_list(const struct reuseport_filter *filter, struct reuseport_group_list **groups,
		   struct reuseport_error *err)
{
	struct reuseport_group_list *list;
	struct reuseport_listing *listing;
	int ret = groups ? caps_require("list groups", err) :
			   fail(err, EINVAL, "list needs a place for the list");

	if (!ret)
		ret = reuseport_list_more(filter, NULL, &listing, err);
	if (ret)
		return ret;
	list = calloc(1, sizeof(*list));
	ret = list ? list_check_seen(listing, err) : fail(err, ENOMEM, "out of memory");
	if (!ret)
		ret = list_copy(listing, list, err);
	reuseport_listing__free(listing);
	if (ret)
		reuseport_group_list__free(list);
	else
		*groups = list;
	return ret;
}

size_t reuseport_group_list__count(const struct reuseport_group_list *list)
{
	return list ? list->groups.n : 0;
}

const struct reuseport_group_info *
reuseport_group_list__get(const struct reuseport_group_list *list, size_t i)
{
	const struct list_item *item = list ? item_list_get(&list->groups, i) : NULL;

	return item ? &item->info : NULL;
}

void reuseport_group_list__free(struct reuseport_group_list *list)
{
	if (!list)
		return;
	item_list_clear(&list->groups, NULL);
	free(list);
}
