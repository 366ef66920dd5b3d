// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* reuseport_get_policy(): the policies in use, with their options. */
#include <errno.h>
#include <stdlib.h>

#include "error.h"
#include "host/caps.h"
#include "host/netns.h"
#include "item_list.h"
#include "state/attachment.h"
#include "state/read_policy.h"

/* The public list. */
struct reuseport_policy_list {
	struct item_list items; /* of struct policy_item */
};

struct policy_item {
	struct reuseport_group_policy group; /* first */
	struct reuseport_key key;
	struct reuseport_policy_info policy;
};

static int policy_list_add(struct reuseport_policy_list *list, const struct attachment *at)
{
	struct policy_item *item = item_list_add(&list->items, sizeof(*item));

	if (!item)
		return -ENOMEM;
	item->key = at->key;
	item->group.key = &item->key;
	item->group.policy = &item->policy;
	netns_name_of(at->key.netns, item->group.netns_name, sizeof(item->group.netns_name));
	read_policy(&item->policy, at);
	return 0;
}

int reuseport_get_policy(const struct reuseport_filter *filter, struct reuseport_policy_list **list,
			 struct reuseport_error *err)
{
	struct reuseport_policy_list *made;
	struct attachment *open = NULL;
	size_t count = 0;
	int ret = list ? caps_require("read the policy", err) :
			 fail(err, EINVAL, "policy needs a place for the list");

	if (!ret)
		ret = attachment_open_all(filter, &open, &count, err);
	if (ret)
		return ret;
	made = calloc(1, sizeof(*made));
	ret = made ? 0 : -ENOMEM;
	for (size_t i = 0; !ret && i < count; i++)
		ret = policy_list_add(made, &open[i]);
	attachment_close_all(open, count);
	if (ret) {
		reuseport_policy_list__free(made);
		return fail(err, ENOMEM, "out of memory");
	}
	*list = made;
	return 0;
}

size_t reuseport_policy_list__count(const struct reuseport_policy_list *list)
{
	return list ? list->items.n : 0;
}

const struct reuseport_group_policy *
reuseport_policy_list__get(const struct reuseport_policy_list *list, size_t i)
{
	const struct policy_item *item = list ? item_list_get(&list->items, i) : NULL;

	return item ? &item->group : NULL;
}

void reuseport_policy_list__free(struct reuseport_policy_list *list)
{
	if (!list)
		return;
	item_list_clear(&list->items, NULL);
	free(list);
}
