// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* reuseport_set_policy(): change the policy of running attachments. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "error.h"
#include "host/caps.h"
#include "keeper/handle.h"
#include "keeper/handle_owner.h"
#include "opts.h"
#include "policy/policy.h"
#include "state/apply_policy.h"
#include "state/attachment.h"
#include "state/plan_lock.h"
#include "state/publish.h"

/* Change all of them, whose locks are held. The policy is checked against each first, so
 * that a refusal by one of them changes none. */
static int set_policy_of_all(struct attachment *list, size_t n,
			     const struct reuseport_policy_opts *words, struct reuseport_error *err)
{
	struct policy_choice choice;
	int ret = 0;

	for (size_t i = 0; !ret && i < n; i++) {
		ret = policy_choose(words, plan_in_use(&list[i].view), &choice, err);
		if (!ret)
			ret = apply_policy_check(&list[i], &choice.plan, err);
	}
	for (size_t i = 0; ret >= 0 && i < n; i++) {
		ret = apply_policy(&list[i], words, NULL, err);
		if (ret < 0)
			break;
		publish_synchronize(&list[i], false);
		plan_lock_notify(&list[i]);
	}
	return ret < 0 ? ret : 0;
}

static int set_policy_words(const struct reuseport_policy_opts *from,
			    struct reuseport_policy_opts *words, struct reuseport_error *err)
{
	int ret;

	*words = (struct reuseport_policy_opts){ .sz = sizeof(*words) };
	ret = opts_copy(words, from, err);
	return ret ? ret : reuseport_policy_check(words, err);
}

static int set_policy_locked(struct attachment *list, size_t n,
			     const struct reuseport_policy_opts *words, struct reuseport_error *err)
{
	int *locks, ret = plan_lock_all(list, n, &locks, err);

	if (ret)
		return ret;
	ret = set_policy_of_all(list, n, words, err);
	plan_unlock_all(locks, n);
	return ret;
}

int reuseport_set_policy(const struct reuseport_filter *filter,
			 const struct reuseport_policy_opts *opts, struct reuseport_error *err)
{
	struct reuseport_policy_opts words;
	struct attachment *list;
	size_t n;
	int ret = set_policy_words(opts, &words, err);

	if (!ret)
		ret = caps_require("change the policy", err);
	if (!ret)
		ret = attachment_open_to_change(filter, &list, &n, err);
	if (ret)
		return ret;
	ret = set_policy_locked(list, n, &words, err);
	attachment_close_all(list, n);
	return ret ? ret : (int)n;
}

int reuseport_group__set_policy(struct reuseport_group *group,
				const struct reuseport_policy_opts *opts,
				struct reuseport_error *err)
{
	struct reuseport_policy_opts words;
	int ret = handle_owner_check(group, err);

	if (!ret)
		ret = set_policy_words(opts, &words, err);
	if (!ret)
		ret = set_policy_locked(&group->at, 1, &words, err);
	return ret ? ret : 1;
}
