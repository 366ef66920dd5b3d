// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* Feature list: the features and their states, as the public calls show them. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "error.h"
#include "host/caps.h"
#include "host/cgroup.h"
#include "host/features.h"
#include "item_list.h"

const char *reuseport_feature_state_name(enum reuseport_feature_state state)
{
	static const char *const names[] = {
		[REUSEPORT_FEATURE_AVAILABLE] = "available",
		[REUSEPORT_FEATURE_MISSING] = "missing",
		[REUSEPORT_FEATURE_NOT_PERMITTED] = "not permitted",
		[REUSEPORT_FEATURE_FAILED] = "failed",
		[REUSEPORT_FEATURE_DISABLED] = "disabled",
	};

	return (size_t)state < sizeof(names) / sizeof(names[0]) && names[state] ? names[state] :
										  "unknown";
}

/* The public list. */
struct reuseport_feature_list {
	struct item_list items;
};

/* The kernel has the feature, but other programs may keep ours out. */
static void describe_obstacle(struct reuseport_feature *to)
{
	to->code = -cgroup_sockopt_obstacle(to->reason, sizeof(to->reason));
	if (to->code)
		to->state = REUSEPORT_FEATURE_FAILED;
}

static void describe_feature(struct features *features, enum feature feature,
			     struct reuseport_feature *to)
{
	const struct feature_row *row = feature_row(feature);

	*to = (struct reuseport_feature){
		.name = row->name,
		.since = row->since,
		.what = row->what,
		.without = row->without,
		.needed = feature < FEATURES_NEEDED,
	};
	to->state = features_state(features, feature, &to->code);
	if (feature == FEATURE_SOCKOPT && to->state == REUSEPORT_FEATURE_AVAILABLE)
		describe_obstacle(to);
	if (to->state == REUSEPORT_FEATURE_NOT_PERMITTED)
		caps_missing(row->caps, to->caps, sizeof(to->caps));
}

int reuseport_features(struct reuseport_feature_list **list, struct reuseport_error *err)
{
	struct reuseport_feature_list *made;
	struct features *features;
	int ret;

	if (!list)
		return fail(err, EINVAL, "features needs a place for the list");
	ret = features_new(&features, err);
	if (ret)
		return ret;
	made = calloc(1, sizeof(*made));
	for (int i = 0; made && !ret && i < FEATURES; i++) {
		struct reuseport_feature *feature = item_list_add(&made->items, sizeof(*feature));

		if (feature)
			describe_feature(features, i, feature);
		else
			ret = -ENOMEM;
	}
	features_free(features);
	if (!made || ret) {
		reuseport_feature_list__free(made);
		return fail(err, ENOMEM, "out of memory");
	}
	*list = made;
	return 0;
}

size_t reuseport_feature_list__count(const struct reuseport_feature_list *list)
{
	return list ? list->items.n : 0;
}

const struct reuseport_feature *
reuseport_feature_list__get(const struct reuseport_feature_list *list, size_t i)
{
	return list ? item_list_get(&list->items, i) : NULL;
}

void reuseport_feature_list__free(struct reuseport_feature_list *list)
{
	if (!list)
		return;
	item_list_clear(&list->items, NULL);
	free(list);
}
