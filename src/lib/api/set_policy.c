// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* Sets the policy of an attachment. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "api/set_policy.h"
#include "error.h"
#include "host/caps.h"
#include "opts.h"
#include "policy/policy.h"
#include "policy/table_compile.h"
#include "state/attachment.h"
#include "state/publish.h"

/* Whether the policy's rows fit into the table at all. */
static int check_room(const struct mapped *mapped, const struct plan *plan, const char *text,
		      struct reuseport_error *err)
{
	if (compile_rows(plan, mapped->size.cpus, topology_nodes()) < mapped->size.table_entries)
		return 0;
	return fail(err, ENOSPC, "%s: %u table entries are too few for policy %s on %u CPUs: detach, "
		    "then attach with --table", text, mapped->size.table_entries,
		    policy_name(plan->policy), mapped->size.cpus);
}

static void set_admit(struct plan *plan, const char *admit)
{
	plan->flags &= ~PLAN_ADMIT_MANUAL;
	if (!strcmp(admit, "manual"))
		plan->flags |= PLAN_ADMIT_MANUAL;
}

int set_policy(const struct mapped *mapped, int sockets, const struct reuseport_policy_opts *words,
	       const char *admit, const char *text, struct reuseport_error *err)
{
	size_t bytes = mapped->size.cpus * sizeof(struct given_cpu);
	struct given_cpu *map = calloc(2, bytes), *before;
	struct policy_choice choice;
	int ret;

	if (!map)
		return fail(err, ENOMEM, "out of memory");
	before = map + mapped->size.cpus;
	memcpy(before, mapped->cpu_map, bytes);
	ret = policy_choose(words, change_plan(mapped), &choice, err);
	if (!ret)
		ret = check_room(mapped, &choice.plan, text, err);
	if (!ret && choice.cpu_map)
		ret = policy_read_map(choice.cpu_map, map, mapped->size.cpus, mapped->size.slots,
				      err);
	if (!ret) {
		struct change want = change_present(mapped);

		want.plan = choice.plan;
		if (admit)
			set_admit(&want.plan, admit);
		memcpy(mapped->cpu_map, map, bytes);
		ret = change_publish(mapped, sockets, &want, err);
		if (ret < 0)
			memcpy(mapped->cpu_map, before, bytes);
	}
	free(map);
	return ret;
}

/* With all that are meant locked, so that either each of them is changed or,
 * by what can be known beforehand, none. */
static int set_all(struct attachment *list, size_t n, const struct reuseport_policy_opts *words,
		   struct reuseport_error *err)
{
	struct policy_choice choice;
	int ret = 0;

	for (size_t i = 0; !ret && i < n; i++) {
		ret = policy_choose(words, change_plan(&list[i].mapped), &choice, err);
		if (!ret)
			ret = check_room(&list[i].mapped, &choice.plan, list[i].text, err);
	}
	for (size_t i = 0; ret >= 0 && i < n; i++) {
		ret = set_policy(&list[i].mapped, list[i].steering.maps[MAP_SOCKETS], words,
				 NULL, list[i].text, err);
		if (ret < 0)
			break;
		change_settle(&list[i].mapped, false);
		change_tell(list[i].pin);
	}
	return ret < 0 ? ret : 0;
}

int reuseport_set_policy(const struct reuseport_filter *filter,
			 const struct reuseport_policy_opts *from, struct reuseport_error *err)
{
	struct reuseport_policy_opts words = { .sz = sizeof(words) };
	struct attachment *list;
	int *locks, ret;
	size_t n;

	ret = opts_copy(&words, from, err);
	if (!ret)
		ret = reuseport_policy_check(&words, err);
	if (!ret)
		ret = caps_require("change the policy", err);
	if (!ret)
		ret = attachments_open(filter, &list, &n, err);
	if (ret)
		return ret;
	ret = change_lock_all(list, n, &locks, err);
	if (!ret) {
		ret = set_all(list, n, &words, err);
		change_unlock_all(locks, n);
	}
	attachments_close(list, n);
	return ret ? ret : (int)n;
}
